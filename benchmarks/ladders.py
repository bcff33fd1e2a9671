"""Which differences each metric can find: ladders of known quality on SynthFoley 2, and the power of paired tests.

``python benchmarks/ladders.py --clips 200 --state out/ladders.json --out docs/ladders`` plays the true events of test
clips made worse step by step (``foleybench.synthfoley.ladders``), scores every step with every metric that needs no
weights, and writes a table a metric: its values along each ladder, whether they come in order, which neighbouring
steps a paired test tells apart with 200, 1,000 and 3,000 clips, and the smallest difference that it finds in four
trials of five. ``--state`` keeps the clips that are done, so that a stopped run goes on. ``--metric NAME`` (may be
given again) measures those alone, for a metric whose version is new.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
from tqdm import tqdm  # noqa: E402

from foleybench import registry  # noqa: E402
from foleybench.api.encoder import Encoder, Signal  # noqa: E402
from foleybench.api.metric import ClipView, Metric, Stat  # noqa: E402
from foleybench.clips import AudioArray, Event  # noqa: E402
from foleybench.media.audio import resample  # noqa: E402
from foleybench.stats.influence import LinearPool  # noqa: E402
from foleybench.synthesis.splits import CorpusOptions  # noqa: E402
from foleybench.synthfoley import compose, synthesise  # noqa: E402
from foleybench.synthfoley.ladders import LADDERS, play_changed  # noqa: E402
from foleybench.synthfoley.spec import ClipSpec  # noqa: E402
from foleybench.synthfoley.splits import split_specs  # noqa: E402

METRICS = (
    *("event_f1_25ms", "event_f1", "event_offset", "source_recall", "strength_correlation", "pitch_error"),
    *("onset_agreement", "level_correlation", "logmel_distance", "mel_profile_distance"),
)
SIZES = (200, 1000, 3000)
# Two-sided 5 %, found in four trials of five: the quantiles .975 and .8 of the normal distribution.
POWER = 1.959964 + 0.841621
TRUE = "another take"


class Built:
    """An encoder, built once.

    Attributes:
        rate_hz: Rate of the audio that it is given.
        encode: From signals to features.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.rate_hz = encoder.rate_hz
        self.encode = encoder.build("cpu")


def main() -> None:
    """Score what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--state", type=Path, required=True, help="JSON lines, one a clip")
    parser.add_argument("--out", type=Path, help="a Markdown file; else the table is printed")
    parser.add_argument("--metric", action="append", choices=METRICS, help="only this metric; may be given again")
    args = parser.parse_args()
    metrics = {name: registry.load("metrics", name) for name in args.metric or METRICS}
    specs = split_specs("test", CorpusOptions())[: args.clips]
    score_missing(specs, metrics, args.state)
    text = report(read_state(args.state, specs, metrics), metrics)
    if args.out is None:
        print(text)
    else:
        args.out.write_text(text, encoding="utf-8")


def score_missing(specs: list[ClipSpec], metrics: Mapping[str, Metric], state: Path) -> None:
    """Append the statistics of every clip of which the file does not hold all these metrics."""
    state.parent.mkdir(parents=True, exist_ok=True)
    records = [json.loads(line) for line in state.read_text().splitlines()] if state.exists() else []
    done = {record["clip_id"] for record in records if metrics.keys() <= record["stats"].keys()}
    needs = {need.encoder for metric in metrics.values() for need in metric.needs.values()}
    encoders = {name: Built(registry.load("encoders", name)) for name in needs}
    for spec in tqdm([spec for spec in specs if spec.clip_id not in done], unit="clip"):
        record = {"clip_id": spec.clip_id, "stats": statistics_of(spec, metrics, encoders)}
        with state.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def statistics_of(spec: ClipSpec, metrics: Mapping[str, Metric], encoders: Mapping[str, Built]) -> dict[str, Any]:
    """Return metric -> step -> statistics (lists), of one clip; absent where the metric does not apply."""
    events = compose(spec).events
    truth = synthesise(events, spec.duration_s, spec.rate_hz, spec.dice.generator("timbre"))
    sounds = {TRUE: play_changed(spec, events, "jitter", 0.0)}
    sounds |= {
        f"{name} {step:g}": play_changed(spec, events, name, step) for name in LADDERS for step in LADDERS[name].steps
    }
    reference = features(truth, spec, encoders)
    found: dict[str, Any] = {name: {} for name in metrics}
    for step, sound in sounds.items():
        generated = features(sound, spec, encoders)
        for name, metric in metrics.items():
            stat = metric.per_clip(view(spec, events, metric, reference, generated))
            if stat is not None:
                found[name][step] = {key: np.asarray(value).tolist() for key, value in stat.items()}
    return found


def features(sound: AudioArray, spec: ClipSpec, encoders: Mapping[str, Built]) -> dict[tuple[str, str], Any]:
    """Return (encoder, layer) -> feature of one sound."""
    found: dict[tuple[str, str], Any] = {}
    for name, encoder in encoders.items():
        signal = Signal(audio=resample(sound, spec.rate_hz, encoder.rate_hz), duration_s=spec.duration_s)
        (layers,) = encoder.encode([signal])
        found |= {(name, layer): value for layer, value in layers.items()}
    return found


def view(
    spec: ClipSpec,
    events: tuple[Event, ...],
    metric: Metric,
    reference: Mapping[tuple[str, str], Any],
    generated: Mapping[tuple[str, str], Any],
) -> ClipView:
    """Return what a metric is given of one clip."""
    sides = {"reference": reference, "generated": generated}
    return ClipView(
        clip_id=spec.clip_id,
        source_id=spec.source_id,
        label=spec.label,
        duration_s=spec.duration_s,
        events=events,
        features={name: sides[need.of][need.encoder, need.layer] for name, need in metric.needs.items()},
    )


def read_state(state: Path, specs: list[ClipSpec], names: Iterable[str]) -> dict[str, dict[str, dict[str, Stat]]]:
    """Return metric -> step -> clip id -> statistics, of the clips and metrics asked for."""
    wanted = {spec.clip_id for spec in specs}
    found: dict[str, dict[str, dict[str, Stat]]] = {name: {} for name in names}
    for line in state.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["clip_id"] not in wanted:
            continue
        for name in found.keys() & record["stats"].keys():
            for step, stat in record["stats"][name].items():
                arrays = {key: np.asarray(value, dtype=np.float64) for key, value in stat.items()}
                found[name].setdefault(step, {})[record["clip_id"]] = arrays
    return found


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rung:
    """A metric along one ladder.

    Attributes:
        values: From the true events (another take) to the strongest step.
        errors: Standard error of the difference of each neighbouring pair, times the root of the number of clips.
        worse: 1 where larger values are worse, -1 where they are better.
    """

    values: tuple[float, ...]
    errors: tuple[float, ...]
    worse: int

    @property
    def drops(self) -> list[float]:
        """How much worse each step is than the one before it."""
        return [self.worse * (after - before) for before, after in itertools.pairwise(self.values)]

    def told_apart(self, n_clips: int) -> list[bool]:
        """Whether each neighbouring pair is told apart in four trials of five, in the right direction."""
        return [drop > POWER * error / math.sqrt(n_clips) for drop, error in zip(self.drops, self.errors, strict=True)]


def rung(metric: Metric, steps: list[dict[str, Stat]]) -> Rung:
    """Return a metric along one ladder, from the statistics of its steps by clip."""
    ids = sorted(set.intersection(*map(set, steps)))
    sides = [[step[clip_id] for clip_id in ids] for step in steps]
    values = tuple(metric.pool(side) for side in sides)
    assert isinstance(metric.pool, LinearPool)
    changes = [metric.pool.influence(side).change for side in sides]
    pairs = itertools.pairwise(changes)
    errors = tuple(float(np.sqrt(np.sum((b - a) ** 2)) * math.sqrt(len(ids))) for a, b in pairs)
    return Rung(values=values, errors=errors, worse=1 if metric.better == "lower" else -1)


def report(found: Mapping[str, Mapping[str, dict[str, Stat]]], metrics: Mapping[str, Metric]) -> str:
    """Return the tables as Markdown."""
    n_clips = max(len(stats) for steps in found.values() for stats in steps.values())
    lines = [f"{n_clips} test clips of SynthFoley 2, {TRUE} of the true events first.", ""]
    lines += [
        "| metric | ladder | values | order | told apart: 200 / 1,000 / 3,000 clips "
        "| smallest difference: 200 / 1,000 / 3,000 |"
    ]
    lines += ["|---|---|---|---|---|---|"]
    for name, metric in metrics.items():
        if TRUE not in found[name]:
            lines.append(f"| `{name}` | | applies to none of these clips | | | |")
            continue
        for ladder, card in LADDERS.items():
            steps = [found[name][TRUE], *(found[name][f"{ladder} {step:g}"] for step in card.steps)]
            lines.append(row(name, ladder, rung(metric, steps)))
    return "\n".join(lines) + "\n"


def row(name: str, ladder: str, found: Rung) -> str:
    """Return one line of the table."""
    in_order = "yes" if all(drop > 0 for drop in found.drops) else "no"
    apart = " / ".join(f"{sum(found.told_apart(n))} of {len(found.drops)}" for n in SIZES)
    smallest = " / ".join(f"{POWER * float(np.median(found.errors)) / math.sqrt(n):.3g}" for n in SIZES)
    values = " ".join(f"{value:.3f}" for value in found.values)
    return f"| `{name}` | {ladder} | {values} | {in_order} | {apart} | {smallest} |"


if __name__ == "__main__":
    main()
