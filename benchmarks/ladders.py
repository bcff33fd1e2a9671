"""Which differences each metric can find: ladders of known quality on SynthFoley 2, and the power of paired tests.

``python -m benchmarks.ladders --clips 81 --state out/ladders.jsonl --out benchmarks/results/ladders.md`` plays the true
events of test clips made worse step by step (``foleybench.synthfoley.ladders``), scores every step with every metric
that needs no weights or shipped ones, and writes a page: each metric along its own ladder and along all others, which
neighbouring steps a paired test tells apart with 200, 1,000 and 3,000 clips, and the smallest difference that it finds
in four trials of five. ``--distance-clips`` gives distances between sets, whose values and errors depend on the number
of clips, more clips on their own ladders.

``--state`` keeps the clips that are done, so that a stopped run goes on; only what it lacks is scored. ``--metric
NAME`` (may be given again) scores and shows those alone. Older states stay usable: their lines name no ladders and hold
all of them for the metrics that they name.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
from tqdm import tqdm  # noqa: E402

from benchmarks.ladder_page import OWN, page  # noqa: E402
from benchmarks.ladder_power import TRUE, Found, step_name  # noqa: E402
from foleybench import registry  # noqa: E402
from foleybench.api.encoder import Encoder, Signal  # noqa: E402
from foleybench.api.metric import ClipView, Metric  # noqa: E402
from foleybench.clips import AudioArray, Clip  # noqa: E402
from foleybench.media.audio import resample  # noqa: E402
from foleybench.synthesis.splits import CorpusOptions  # noqa: E402
from foleybench.synthfoley import render_clip  # noqa: E402
from foleybench.synthfoley.ladders import LADDERS, play_changed  # noqa: E402
from foleybench.synthfoley.spec import ClipSpec  # noqa: E402
from foleybench.synthfoley.splits import split_specs  # noqa: E402


class Built:
    """An encoder, built once.

    Attributes:
        rate_hz: Rate of the audio that it is given.
        sees: Whether it is given the video.
        encode: From signals to features.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.rate_hz = encoder.rate_hz
        self.sees = encoder.sees
        self.encode = encoder.build("cpu")


def main() -> None:
    """Score what is missing, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument(
        "--distance-clips", type=int, default=0, help="for distances between sets, if more than --clips"
    )
    parser.add_argument("--state", type=Path, required=True, help="JSON lines, one a clip or more")
    parser.add_argument("--out", type=Path, help="a Markdown file; else the page is printed")
    parser.add_argument("--metric", action="append", choices=OWN, help="only this metric; may be given again")
    args = parser.parse_args()
    metrics = {name: registry.load("metrics", name) for name in args.metric or OWN}
    distances = {name: metric for name, metric in metrics.items() if metric.corrected}
    specs = split_specs("test", CorpusOptions())
    few, many = specs[: args.clips], specs[: max(args.clips, args.distance_clips)]
    score_missing(few, metrics, list(LADDERS), args.state)
    if distances:
        own = [ladder for ladder in LADDERS if any(ladder in OWN[name] for name in distances)]
        score_missing(many, distances, own, args.state)
    found = read_state(args.state, few, metrics.keys() - distances.keys()) | read_state(args.state, many, distances)
    sources = {spec.clip_id: spec.source_id for spec in many}
    text = page(found, metrics, sources, command=command_of(args), clips=len(few))
    if args.out is None:
        print(text)
    else:
        args.out.write_text(text, encoding="utf-8")


def command_of(args: argparse.Namespace) -> str:
    """Return the command that makes the page, whatever files it names."""
    words = [f"--clips {args.clips}"]
    words += [f"--distance-clips {args.distance_clips}"] if args.distance_clips else []
    words += [f"--metric {name}" for name in args.metric or ()]
    return f"python -m benchmarks.ladders {' '.join(words)} --state FILE --out FILE"


def score_missing(
    specs: Sequence[ClipSpec], metrics: Mapping[str, Metric], ladders: Sequence[str], state: Path
) -> None:
    """Append, for every clip, the statistics of the metrics and ladders that the file lacks."""
    state.parent.mkdir(parents=True, exist_ok=True)
    done = scored(state)
    lacking = [(spec, set(itertools.product(metrics, ladders)) - done[spec.clip_id]) for spec in specs]
    needs = {need.encoder for metric in metrics.values() for need in metric.needs.values()}
    encoders = {name: Built(registry.load("encoders", name)) for name in needs}
    for spec, pairs in tqdm([(spec, pairs) for spec, pairs in lacking if pairs], unit="clip"):
        names, lacked = {name for name, _ in pairs}, {ladder for _, ladder in pairs}
        wanted = {name: metric for name, metric in metrics.items() if name in names}
        steps = [ladder for ladder in ladders if ladder in lacked]
        stats = statistics_of(spec, wanted, steps, encoders)
        with state.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"clip_id": spec.clip_id, "ladders": steps, "stats": stats}) + "\n")


def scored(state: Path) -> Mapping[str, set[tuple[str, str]]]:
    """Return clip id -> (metric, ladder) of all that the file holds, nothing for a clip that it does not name."""
    done: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for record in records(state):
        # Without ladders it was written when all of them were always scored.
        done[record["clip_id"]] |= set(itertools.product(record["stats"], record.get("ladders", LADDERS)))
    return done


def records(state: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a state; none where there is no file yet."""
    if state.exists():
        yield from map(json.loads, state.read_text(encoding="utf-8").splitlines())


def statistics_of(
    spec: ClipSpec, metrics: Mapping[str, Metric], ladders: Sequence[str], encoders: Mapping[str, Built]
) -> dict[str, Any]:
    """Return metric -> step -> statistics (lists), of one clip; absent where the metric does not apply."""
    clip = render_clip(spec)
    events = clip.events or ()
    sounds = {TRUE: play_changed(spec, events, "jitter", 0.0)}
    sounds |= {
        step_name(name, step): play_changed(spec, events, name, step)
        for name in ladders
        for step in LADDERS[name].steps
    }
    assert clip.audio is not None
    reference = features(clip.audio, clip, needed(metrics, encoders, "reference"))
    makers = needed(metrics, encoders, "generated")
    found: dict[str, Any] = {name: {} for name in metrics}
    for step, sound in sounds.items():
        generated = features(sound, clip, makers)
        for name, metric in metrics.items():
            stat = metric.per_clip(view(clip, metric, reference, generated))
            if stat is not None:
                found[name][step] = {key: np.asarray(value).tolist() for key, value in stat.items()}
    return found


def needed(metrics: Mapping[str, Metric], encoders: Mapping[str, Built], side: str) -> dict[str, Built]:
    """Return the encoders that the metrics need of the reference or of the generated audio."""
    names = {need.encoder for metric in metrics.values() for need in metric.needs.values() if need.of == side}
    return {name: encoder for name, encoder in encoders.items() if name in names}


def features(sound: AudioArray, clip: Clip, encoders: Mapping[str, Built]) -> dict[tuple[str, str], Any]:
    """Return (encoder, layer) -> feature of one sound, with the clip's frames as rendered."""
    found: dict[tuple[str, str], Any] = {}
    for name, encoder in encoders.items():
        audio = resample(sound, clip.rate_hz, encoder.rate_hz)
        video = {"frames": clip.frames, "frame_times_s": clip.frame_times_s} if encoder.sees else {}
        (layers,) = encoder.encode([Signal(audio=audio, duration_s=clip.duration_s, **video)])
        found |= {(name, layer): value for layer, value in layers.items()}
    return found


def view(
    clip: Clip,
    metric: Metric,
    reference: Mapping[tuple[str, str], Any],
    generated: Mapping[tuple[str, str], Any],
) -> ClipView:
    """Return what a metric is given of one clip."""
    sides = {"reference": reference, "generated": generated}
    return ClipView(
        clip_id=clip.clip_id,
        source_id=clip.source_id,
        label=clip.label,
        duration_s=clip.duration_s,
        events=clip.events,
        features={name: sides[need.of][need.encoder, need.layer] for name, need in metric.needs.items()},
    )


def read_state(state: Path, specs: Sequence[ClipSpec], names: Iterable[str]) -> dict[str, Found]:
    """Return metric -> step -> clip id -> statistics, of the clips and metrics asked for, clips in their order."""
    found: dict[str, Found] = {name: {} for name in names}
    by_clip: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records(state):
        by_clip[record["clip_id"]].append(record["stats"])
    for spec in specs:
        for stats in by_clip[spec.clip_id]:
            for name in found.keys() & stats.keys():
                for step, stat in stats[name].items():
                    arrays = {key: np.asarray(value, dtype=np.float64) for key, value in stat.items()}
                    found[name].setdefault(step, {})[spec.clip_id] = arrays
    return found


if __name__ == "__main__":
    main()
