"""Whether SynthFoley can measure: what it gives away, what it hides, what copying can reach, and how fast it is made.

``python benchmarks/ruler.py shares`` counts what the corpus promises from the event lists of the test split;
``speed`` measures rendering, ``bytes`` renders in two processes and compares; ``sheet OUT.png`` draws every class
beside a look-alike that misses and one that touches gently; ``clicks`` scores clicks at even steps; ``grains`` compares
test events with their nearest training grain. What they print stands in ``benchmarks/results/ruler.md``;
``ruler_picture.py`` asks what single frames give away, ``ruler_baseline.py`` scores a system that pastes grains.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import hashlib
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402

from foleybench import registry  # noqa: E402
from foleybench.api.encoder import Signal  # noqa: E402
from foleybench.api.metric import ClipView  # noqa: E402
from foleybench.clips import Event  # noqa: E402
from foleybench.synthesis.splits import CorpusOptions  # noqa: E402
from foleybench.synthfoley import class_names, compose, render_clip, synthesise  # noqa: E402
from foleybench.synthfoley.difficulty import preset  # noqa: E402
from foleybench.synthfoley.draw import draw  # noqa: E402
from foleybench.synthfoley.render import frame_times  # noqa: E402
from foleybench.synthfoley.scene import Actor, Silence  # noqa: E402
from foleybench.synthfoley.spec import ClipSpec  # noqa: E402
from foleybench.synthfoley.splits import split_specs  # noqa: E402

# Of the sheet: width of the names, height of the titles, space between source and look-alikes.
_NAMES_PX, _HEAD_PX, _GAP_PX = 110, 18, 12


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    parts.add_parser("shares").set_defaults(run=lambda args: shares())
    speed_of = parts.add_parser("speed")
    speed_of.add_argument("--clips", type=int, default=108)
    speed_of.set_defaults(run=lambda args: speed(args.clips))
    bytes_of = parts.add_parser("bytes")
    bytes_of.add_argument("--clips", type=int, default=54)
    bytes_of.add_argument("--print", action="store_true", help="print the hash only")
    bytes_of.set_defaults(run=lambda args: same_bytes(args.clips, args.print))
    sheet_of = parts.add_parser("sheet")
    sheet_of.add_argument("out", type=Path)
    sheet_of.set_defaults(run=lambda args: sheet(args.out))
    parts.add_parser("clicks").set_defaults(run=lambda args: clicks())
    grains_of = parts.add_parser("grains")
    grains_of.add_argument("--train", type=int, default=540)
    grains_of.add_argument("--test", type=int, default=81)
    grains_of.set_defaults(run=lambda args: grains(args.train, args.test))
    args = parser.parse_args()
    args.run(args)


def shares() -> None:
    """Count sources, silent movers, hidden events and continuous draws over the whole test split."""
    scenes = [compose(spec) for spec in split_specs("test", CorpusOptions())]
    heard = [event for scene in scenes for event in scene.events if event.audible]
    n_sources = [len({e.source for e in scene.events if e.audible}) for scene in scenes]
    places = collections.Counter(event.factors["where"] for event in heard)
    seen_before = []
    for scene in scenes:
        for actor in scene.actors:
            own = scene.of(actor)
            seen_before += [sum(o.visible for o in own[:k]) for k, e in enumerate(own) if e.audible and not e.visible]
    pitches = [event.pitch_hz for event in heard if event.pitch_hz]
    strengths = [event.strength for event in heard]
    far = [event.factors["distance_m"] / 343.0 * 1000 for event in heard]
    several, movers = np.asarray(n_sources) >= 2, [any(a.silent for a in scene.actors) for scene in scenes]
    twice, once = np.asarray(seen_before) >= 2, np.asarray(seen_before) >= 1
    print(f"test clips {len(scenes)}, classes {len(class_names())}, events a clip {len(heard) / len(scenes):.2f}")
    print(
        f"clips with two or three sounding sources {several.mean():.3f}: "
        f"{sorted(collections.Counter(n_sources).items())}"
    )
    print(f"audible events off screen or occluded {1 - places['onscreen'] / len(heard):.3f}: {sorted(places.items())}")
    print(f"  seen before at least twice {twice.mean():.3f}, at least once {once.mean():.3f}")
    print(f"clips with silent movers {np.mean(movers):.3f}")
    print(f"silent events for each audible one {sum(len(s.events) for s in scenes) / len(heard) - 1:.2f}")
    distinct = len(set(pitches)) / len(pitches)
    print(f"pitch: tonal {len(pitches) / len(heard):.2f}, distinct {distinct:.4f}, Hz {_spread(pitches)}")
    print(f"strength {_spread(strengths)}; audio later by ms {_spread(far)}")


def speed(n_clips: int) -> None:
    """Measure seconds of clip a second of one core, over the mix of the test split at 64 px."""
    specs = split_specs("test", CorpusOptions())[:n_clips]
    render_clip(specs[0])
    times_s = []
    for spec in specs:
        start_s = time.process_time()
        render_clip(spec)
        times_s.append(time.process_time() - start_s)
    mean_s, median_s = statistics.mean(times_s), statistics.median(times_s)
    print(f"{n_clips} clips of 4 s, 64 px, 25 fps, 16 kHz, one thread, processor time")
    print(
        f"mean {mean_s * 1e3:.1f} ms = {4 / mean_s:.0f} times real time; "
        f"median {median_s * 1e3:.1f} ms = {4 / median_s:.0f} times"
    )


def same_bytes(n_clips: int, only_print: bool) -> None:
    """Hash clips of several splits, here and in another process."""
    digest = hashlib.sha256()
    for split in ("test", "heldout_fps", "counterfactual"):
        for spec in split_specs(split, CorpusOptions())[: n_clips // 3]:
            clip = render_clip(spec)
            assert clip.frames is not None
            assert clip.audio is not None
            digest.update(clip.frames.tobytes() + clip.audio.tobytes() + repr(clip.events).encode())
    if only_print:
        print(digest.hexdigest())
        return
    command = [sys.executable, __file__, "bytes", "--clips", str(n_clips), "--print"]
    other = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    print(
        f"{n_clips} clips: {digest.hexdigest()[:16]} and {other[:16]}: "
        f"{'equal' if other == digest.hexdigest() else 'NOT EQUAL'}"
    )


def sheet(out: Path) -> None:
    """Draw every class (a row of frames each), and beside it the same scene missing, and touching gently."""
    from PIL import Image, ImageDraw

    rows = [_sheet_row(label) for label in class_names()]
    height, width = rows[0].shape[:2]
    picture = Image.new("RGB", (_NAMES_PX + width, _HEAD_PX + height * len(rows)), "white")
    ink = ImageDraw.Draw(picture)
    for k, title in enumerate(("source", "look-alike that misses", "look-alike that touches gently")):
        ink.text((_NAMES_PX + k * (width + _GAP_PX) // 3, 3), title, fill="black")
    for k, (label, row) in enumerate(zip(class_names(), rows, strict=True)):
        picture.paste(Image.fromarray(row), (_NAMES_PX, _HEAD_PX + k * height))
        ink.text((4, _HEAD_PX + k * height + height // 2 - 6), label, fill="black")
    picture.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, optimize=True)
    print(f"{out}: {len(rows)} classes; left the source, middle one that misses, right one that touches gently")


def _sheet_row(label: str) -> np.ndarray:
    """Return nine frames of a class's source, of its look-alike that misses, and of its gentle one or white."""
    spec = ClipSpec(
        clip_id="sheet_000000",
        source_id=f"sheet {label}",
        label=label,
        split="test",
        difficulty="easy",
        duration_s=2.0,
    )
    scene, times_s = compose(spec), frame_times(spec)
    # Pegs are long or short and strokes are on or off: neither has a gentle kind.
    gentle = "pegs" not in scene.actors[0].extra and scene.events[0].kind == "onset"
    strips = []
    for silence in ("", "miss", "soft"):
        actor = _look_alike(scene.actors[0], silence)
        shown = dataclasses.replace(scene, actors=(actor,), events=_made_silent(scene.events, silence))
        frames = draw(shown, times_s, spec.pixels, spec.dice, preset("easy"))
        strip = np.concatenate(list(frames[8:44:4]), axis=1)
        strips += [np.full_like(strip, 255) if silence == "soft" and not gentle else strip]
        strips += [np.full_like(strip[:, :_GAP_PX], 255)]
    return np.concatenate(strips[:-1], axis=1)


def _look_alike(source: Actor, silence: Silence) -> Actor:
    """Return a source made silent as the corpus makes it: a hand that misses turns past pegs that are all short."""
    extra = dict(source.extra)
    if silence == "miss" and "pegs" in extra:
        extra["pegs"] = [[angle, 0.0] for angle, _ in extra["pegs"]]
    return dataclasses.replace(source, silent=silence, extra=extra)


def _made_silent(events: Sequence[Event], silence: Silence) -> tuple[Event, ...]:
    changed = {"miss": {"off": True}, "soft": {"soft": True, "off": True}, "": {}}[silence]
    return tuple(
        dataclasses.replace(e, factors={**e.factors, **{k: v for k, v in changed.items() if k in e.factors}})
        for e in events
    )


def clicks() -> None:
    """Score clicks at even steps, without a look at the video, against the exact events of the whole test split."""
    names = ("event_f1_25ms", "event_f1", "source_recall", "event_offset")
    metrics = {name: registry.load("metrics", name) for name in names}
    scenes = [compose(spec) for spec in split_specs("test", CorpusOptions())]
    encode = registry.load("encoders", "onsets").build("cpu")
    print(f"a click every so many ms, {len(scenes)} test clips: {', '.join(names)}")
    for period_s in (0.05, 0.1, 0.2, 0.4):
        audio = np.zeros(4 * 16000, dtype=np.float32)
        audio[(np.arange(period_s / 2, 4, period_s) * 16000).astype(int)] = 0.5
        (found,) = encode([Signal(audio=audio, duration_s=4.0)])
        views = [_heard(scene.events, found["times_s"]) for scene in scenes]
        stats = {name: [stat for v in views if (stat := m.per_clip(v)) is not None] for name, m in metrics.items()}
        values = ", ".join(f"{metrics[name].pool(of):.4f}" for name, of in stats.items())
        print(f"  {1000 * period_s:.0f} ms, {len(found['times_s'])} onsets found: {values}")


def _heard(events: Sequence[Event], onsets_s: np.ndarray) -> ClipView:
    return ClipView(
        clip_id="", source_id="", label="", duration_s=4.0, events=tuple(events), features={"onsets": onsets_s}
    )


def grains(n_train: int, n_test: int) -> None:
    """Compare each contact of some test clips with the nearest contact of training, each played alone."""
    known, kept = _grains("train", n_train, 0)
    new, wanted = _grains("test", n_test, 0)
    again, _ = _grains("test", n_test, 1)
    away = np.sqrt(((new[:, None, :] - known[None, :, :]) ** 2).mean(-1))
    nearest = away.argmin(1)
    takes = np.sqrt(((new - again) ** 2).mean(-1))
    right = collections.Counter()
    semitones, decibels = [], []
    for event, k in zip(wanted, nearest.tolist(), strict=True):
        other = kept[k]
        apart = abs(12 * np.log2(event.factors["base_hz"] / other.factors["base_hz"]))
        level = abs(20 * np.log10(event.strength / other.strength))
        semitones.append(apart)
        decibels.append(level)
        right["class"] += event.label == other.label
        right["material"] += event.material == other.material
        right["pitch within half a semitone"] += apart <= 0.5
        right["strength within 1 dB"] += level <= 1.0
        right["all of these"] += (
            event.label == other.label and event.material == other.material and apart <= 0.5 and level <= 1.0
        )
    print(
        f"{len(wanted)} contacts of {n_test} test clips against {len(kept)} of {n_train} training clips, "
        "by 24 bands x 8 slots"
    )
    print(
        f"distance to the nearest training grain {_spread(away.min(1))} dB; "
        f"between two takes of one event {_spread(takes)} dB"
    )
    for name, count in right.items():
        print(f"  the nearest grain has the right {name}: {count / len(wanted):.3f}")
    print(f"  pitch off by semitones {_spread(semitones)}, strength by dB {_spread(decibels)}")


def _grains(split: str, n_clips: int, take: int) -> tuple[np.ndarray, list[Event]]:
    rows, events = [], []
    for spec in split_specs(split, CorpusOptions())[:n_clips]:
        for k, event in enumerate(compose(spec).events):
            if event.audible and event.kind == "onset":
                rng = np.random.default_rng([take, k, int(spec.source_id[1:9], 16)])
                alone = dataclasses.replace(event, time_s=0.02)
                rows.append(_grain_spectrum(synthesise([alone], 1.0, 16000, rng)))
                events.append(event)
    return np.asarray(rows), events


def _grain_spectrum(sound: np.ndarray) -> np.ndarray:
    """Return levels in dB of 24 bands in 8 slots of growing length, 60 dB of range under 1."""
    edges_s = np.asarray([0.0, 0.02, 0.04, 0.07, 0.11, 0.17, 0.26, 0.4, 0.62])
    bands = np.geomspace(80.0, 8000.0, 25)
    rows = []
    for start_s, end_s in itertools.pairwise(edges_s):
        piece = sound[round(start_s * 16000) : round(end_s * 16000)]
        power = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 8192)) ** 2 / len(piece)
        place = np.clip((bands / 8000.0 * 4096).astype(int), 0, 4096)
        rows.append([power[a : max(a + 1, b)].mean() for a, b in itertools.pairwise(place)])
    return np.maximum(10 * np.log10(np.asarray(rows).ravel() + 1e-12), -60.0)


def _spread(values: Sequence[float] | np.ndarray) -> str:
    low, middle, high = np.quantile(np.asarray(values, dtype=float), [0.05, 0.5, 0.95])
    return f"{middle:.3g} [{low:.3g}, {high:.3g}]"


if __name__ == "__main__":
    main()
