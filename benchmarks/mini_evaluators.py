"""How far the ``mini`` evaluators can be trusted: on every split, with shifts, and against audio of nothing.

``python benchmarks/mini_evaluators.py --data shards/synthfoley --out benchmarks/results/mini_evaluators.md`` scores the
true audio of the first clips of every split with the evaluators in the package, on the test split also vocoded,
roughened, shifted and other audio, and writes the tables. Clips of all classes take turns, so that the first are of all
classes. ``--heldout`` names another folder for all splits but the test split's: more clips than ``tiny`` has. With
``FOLEYBENCH_EVALUATORS`` the evaluators of that folder are measured.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
import torch  # noqa: E402
from scipy.stats import binomtest  # noqa: E402

from foleybench import registry  # noqa: E402
from foleybench.api.encoder import Features, Signal  # noqa: E402
from foleybench.api.metric import ClipView, Stat  # noqa: E402
from foleybench.api.weights import EVALUATORS, evaluators_folder  # noqa: E402
from foleybench.clips import AudioArray, Clip  # noqa: E402
from foleybench.encoders import mini_align, mini_class  # noqa: E402
from foleybench.encoders._nets.mini_nets import AlignNet, audio_input, frames_input, unpack  # noqa: E402
from foleybench.evaluators.mini.artefacts import RATE_HZ, roughened, vocoded  # noqa: E402
from foleybench.media.audio import resample  # noqa: E402
from foleybench.shards.dataset import ShardDataset  # noqa: E402

SPLITS = ("test", "heldout_material", "heldout_tempo", "heldout_fps", "heldout_long", "counterfactual")
HEARD = ("class_accuracy", "class_f1", "material_accuracy")
SHIFTS_S = (0.04, 0.08, 0.12, 0.2, 0.5, 1.0)
NOTHING = ("silence", "white noise", "quiet noise", "low-passed noise")
_METRICS = {name: registry.load("metrics", name) for name in (*HEARD, "kld_mini")}


class Table:
    """Statistics of the metrics, and who was judged aligned, by the kind of audio."""

    def __init__(self) -> None:
        self.heard: dict[tuple[str, str], list[Stat]] = defaultdict(list)
        self.aligned: dict[str, list[bool]] = defaultdict(list)

    def value(self, kind: str, metric: str) -> float:
        """Return a metric's value on one kind of audio."""
        return _METRICS[metric].pool(self.heard[kind, metric])

    @property
    def hits(self) -> list[bool]:
        """For which clips the class heard most in the true audio is one that sounds."""
        return [bool(stat["hit"]) for stat in self.heard["true", "class_accuracy"]]

    def share(self, kind: str) -> float:
        """Return the share of clips judged aligned, in percent."""
        return 100.0 * float(np.mean(self.aligned[kind]))

    def share_text(self, kind: str) -> str:
        """Return the share with its 95 % interval (Clopper and Pearson)."""
        hits = self.aligned[kind]
        ends = binomtest(int(sum(hits)), len(hits)).proportion_ci(method="exact")
        return f"{self.share(kind):.1f} [{100 * ends.low:.1f}, {100 * ends.high:.1f}]"


def measure(manifest: Path, n: int, *, others: bool) -> Table:
    """Score the true audio of the first ``n`` clips of a split, and every other kind where asked."""
    data, table = ShardDataset(manifest), Table()
    hear = mini_class.ENCODER.build("cpu")
    net = AlignNet()
    unpack(net, mini_align.WEIGHTS.path)
    net.eval()
    ids = data.clip_ids[:n]
    before = data.load(ids[-1])
    for number, clip_id in enumerate(ids):
        clip = data.load(clip_id)
        kinds = audios(clip, before, np.random.default_rng(number))
        versions = dict(kinds if others else itertools.islice(kinds, 1))
        heard = dict(
            zip(versions, hear([Signal(audio=a, duration_s=clip.duration_s) for a in versions.values()]), strict=False)
        )
        for kind, features in heard.items():
            _add(table, kind, clip, heard["true"], features)
        _judge(net, table, clip, versions)
        before = clip
    return table


def audios(clip: Clip, other: Clip, rng: np.random.Generator) -> Iterator[tuple[str, AudioArray]]:
    """Yield every kind of audio that stands in for a clip's, at 16 kHz and of its length."""
    assert clip.audio is not None
    assert other.audio is not None
    true = resample(clip.audio, clip.rate_hz, RATE_HZ)
    n = len(true)
    yield "true", true
    yield "vocoded", vocoded(true, rng)
    yield "rough", roughened(true, rng)
    for shift_s in SHIFTS_S:
        late = round(shift_s * RATE_HZ)
        yield f"{1000 * shift_s:.0f} ms late", np.concatenate([np.zeros(late, np.float32), true[: n - late]])
    yield "another clip", np.resize(resample(other.audio, other.rate_hz, RATE_HZ), n)
    power = float(np.sqrt(np.mean(true**2)))
    white = rng.standard_normal(n).astype(np.float32)
    yield "silence", np.zeros(n, np.float32)
    yield "white noise", np.float32(power) * white
    yield "quiet noise", np.float32(1e-4) * white
    smooth = np.convolve(white, np.ones(16, np.float32) / 16, "same").astype(np.float32)
    yield "low-passed noise", np.float32(power / max(float(smooth.std()), 1e-9)) * smooth


def _add(table: Table, kind: str, clip: Clip, true: Features, found: Features) -> None:
    features = {**found, "reference": true["logits"], "generated": found["logits"]}
    view = ClipView(
        clip_id=clip.clip_id,
        source_id=clip.source_id,
        label=clip.label,
        duration_s=clip.duration_s,
        events=clip.events,
        features=features,
        seconds=None,
    )
    for name, metric in _METRICS.items():
        stat = metric.per_clip(view)
        if stat is not None:
            table.heard[kind, name].append(stat)


@torch.inference_mode()
def _judge(net: AlignNet, table: Table, clip: Clip, versions: Mapping[str, AudioArray]) -> None:
    assert clip.frames is not None
    frames = torch.from_numpy(frames_input(clip.frames, clip.frame_times_s, clip.duration_s))
    picture = net.picture(frames[None].float() / 255.0)
    for kind, audio in versions.items():
        sound = net.sound(torch.from_numpy(audio_input(audio))[None])
        n = min(sound.shape[2], picture.shape[2])
        table.aligned[kind].append(bool(net.compare(sound[:, :, :n], picture[:, :, :n]) > 0))


def page(tables: Mapping[str, Table], command: str) -> str:
    """Return the tables as Markdown."""
    test = tables["test"]
    lines = [
        "# The `mini` evaluators, measured\n",
        f"`{command}`\n",
        "\nTrue audio, by split (difference to the test split in points, with its 95 % interval; of other clips, so",
        "not paired):\n",
        "| split | clips | class accuracy | difference | class F1 | material accuracy | Align Acc (%) | difference |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for split, table in tables.items():
        heard, f1, material = (table.value("true", name) for name in HEARD)
        gaps = ("", "")
        if table is not test:
            gaps = (_gap(table.hits, test.hits), _gap(table.aligned["true"], test.aligned["true"]))
        cells = (split, len(table.aligned["true"]), f"{heard:.3f}", gaps[0], f"{f1:.3f}", f"{material:.3f}")
        lines.append(_line(*cells, table.share_text("true"), gaps[1]))
    lines += [
        "\nOther audio on the test split, in place of the true one:\n",
        "| audio | class accuracy | class F1 | material accuracy | KLD (mini) | Align Acc (mini) % |",
        "|---|---|---|---|---|---|",
    ]
    for kind in test.aligned:
        values = " | ".join(f"{test.value(kind, name):.3f}" for name in HEARD)
        lines.append(f"| {kind} | {values} | {test.value(kind, 'kld_mini'):.2f} | {test.share_text(kind)} |")
    worse = [f"{kind} {100 * _worse(test, kind):.0f} %" for kind in NOTHING]
    lines.append(
        f"\nShare of clips for which KLD (mini) is larger than with another clip's audio: {', '.join(worse)}.\n"
    )
    return "\n".join(lines)


def _gap(one: Sequence[bool], other: Sequence[bool]) -> str:
    """Return the difference of two shares in points, with its 95 % interval (normal)."""
    gap = 100 * float(np.mean(one) - np.mean(other))
    reach = 196 * float(np.sqrt(np.var(one) / len(one) + np.var(other) / len(other)))
    return f"{gap:+.1f} [{gap - reach:+.1f}, {gap + reach:+.1f}]"


def _line(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _worse(table: Table, kind: str) -> float:
    one, two = ([float(stat["kl"]) for stat in table.heard[k, "kld_mini"]] for k in (kind, "another clip"))
    return float(np.mean(np.array(one) > np.array(two)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the prepared splits")
    parser.add_argument(
        "--heldout", type=Path, help="folder of all of them but the test split (default: that of --data)"
    )
    parser.add_argument("--clips", type=int, default=216, help="clips of each split")
    parser.add_argument("--splits", nargs="+", default=list(SPLITS), help="test among them")
    parser.add_argument("--out", type=Path, required=True, help="Markdown file")
    args = parser.parse_args(arguments)
    torch.set_num_threads(1)
    tables = {}
    for split in args.splits:
        folder = args.data if split == "test" or args.heldout is None else args.heldout
        tables[split] = measure(folder / f"{split}.manifest.jsonl", args.clips, others=split == "test")
        print(split, f"{tables[split].share('true'):.1f}", file=sys.stderr, flush=True)
    heldout = f"--heldout {args.heldout} " if args.heldout else ""
    some = f"--splits {' '.join(args.splits)} " if args.splits != list(SPLITS) else ""
    own = f"{EVALUATORS}={evaluators_folder()} " if evaluators_folder() else ""
    command = (
        f"{own}python benchmarks/mini_evaluators.py --data {args.data} {heldout}{some}--clips {args.clips} "
        f"--out benchmarks/results/{args.out.name}"
    )
    args.out.write_text(page(tables, command), encoding="utf-8")


if __name__ == "__main__":
    main()
