"""Whether SynthFoley can measure: what it gives away, what it hides, what copying can reach, and how fast it is made.

``python benchmarks/ruler.py shares`` counts what the corpus promises from the event lists of the test split;
``speed`` measures rendering, ``bytes`` renders in two processes and compares; ``sheet OUT.png`` draws every class
beside a look-alike that misses and one that touches gently; ``picture`` trains classifiers of single frames on "does it
sound in this frame"; ``grains`` compares test events with their nearest training grain. What they print stands in
``benchmarks/results/ruler.md``; ``ruler_baseline.py`` scores a system that pastes grains.
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

from foleybench.clips import Clip, Event  # noqa: E402
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
    picture_of = parts.add_parser("picture")
    picture_of.add_argument("--train", type=int, default=270)
    picture_of.add_argument("--test", type=int, default=108)
    picture_of.set_defaults(run=lambda args: picture(args.train, args.test))
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


def picture(n_train: int, n_test: int) -> None:
    """Train ridge and a small network on single frames; state the AUC over all frames and within clips."""
    train = [render_clip(spec) for spec in split_specs("train", CorpusOptions())[:n_train]]
    test = [render_clip(spec) for spec in split_specs("test", CorpusOptions())[:n_test]]
    for kind in ("onset", "span"):
        labels = [_sounding(clip, kind) for clip in train]
        wanted = [_sounding(clip, kind) for clip in test]
        share = np.concatenate(wanted).mean()
        print(
            f"{kind}: frames in which something {'starts' if kind == 'onset' else 'goes on'} sounding, "
            f"share {share:.3f}"
        )
        for name, scores_of in (("ridge", _ridge_scores), ("network", _network_scores)):
            scores = scores_of(train, labels, test)
            within = [_auc(s, w) for s, w in zip(scores, wanted, strict=True) if 0 < w.sum() < len(w)]
            pooled = _auc(np.concatenate(scores), np.concatenate(wanted))
            error = np.std(within) / np.sqrt(len(within))
            print(
                f"  {name:8} AUC within clips {np.mean(within):.3f} +- {1.96 * error:.3f} "
                f"({len(within)} clips), over all {pooled:.3f}",
                flush=True,
            )


def _sounding(clip: Clip, kind: str) -> np.ndarray:
    """Return for every frame whether an audible contact is seen at it, or a stroke that sounds goes on."""
    times_s, marks = clip.frame_times_s, np.zeros(len(clip.frame_times_s), dtype=bool)
    for event in clip.events or ():
        if not event.audible or event.kind != kind:
            continue
        start_s = event.factors["contact_s"]
        if kind == "onset":
            marks[int(np.abs(times_s - start_s).argmin())] = True
        else:
            marks |= (times_s >= start_s) & (times_s <= start_s + event.duration_s)
    return marks


def _small(clip: Clip, side: int) -> np.ndarray:
    """Return frames at a smaller size as float, each less its own mean colour, shape (T, side, side, 3)."""
    assert clip.frames is not None
    step = clip.frames.shape[1] // side
    frames = (
        clip.frames.reshape(len(clip.frames), side, step, side, step, 3).mean(axis=(2, 4), dtype=np.float32) / 128.0
    )
    return frames - frames.mean(axis=(1, 2), keepdims=True)


def _ridge_scores(train: Sequence[Clip], labels: Sequence[np.ndarray], test: Sequence[Clip]) -> list[np.ndarray]:
    def rows(clip: Clip) -> np.ndarray:
        grey = _small(clip, 32).mean(-1).reshape(len(clip.frame_times_s), -1)
        return np.concatenate([grey, np.abs(grey), np.ones((len(grey), 1), dtype=np.float32)], axis=1)

    x, y = np.concatenate([rows(clip) for clip in train]), np.concatenate(labels).astype(np.float32)
    square = x.T @ x
    weights = np.linalg.solve(square + 0.3 * np.trace(square) / len(square) * np.eye(len(square)), x.T @ (y - y.mean()))
    return [rows(clip) @ weights for clip in test]


def _network_scores(train: Sequence[Clip], labels: Sequence[np.ndarray], test: Sequence[Clip]) -> list[np.ndarray]:
    import torch
    from torch import nn

    torch.manual_seed(0)
    torch.set_num_threads(1)
    x = torch.from_numpy(np.concatenate([_small(clip, 64) for clip in train])).permute(0, 3, 1, 2)
    y = torch.from_numpy(np.concatenate(labels)).float()
    layers: list[nn.Module] = []
    for before, after in ((3, 16), (16, 32), (32, 48)):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
    network = nn.Sequential(
        *layers, nn.Conv2d(48, 64, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(64, 1)
    )
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3)
    generator = torch.Generator().manual_seed(0)
    weight = (1.0 - y.mean()) / y.mean()
    for _ in range(900):
        chosen = torch.randint(len(x), (128,), generator=generator)
        loss = nn.functional.binary_cross_entropy_with_logits(network(x[chosen])[:, 0], y[chosen], pos_weight=weight)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    network.eval()
    with torch.inference_mode():
        return [network(torch.from_numpy(_small(clip, 64)).permute(0, 3, 1, 2))[:, 0].numpy() for clip in test]


def _auc(scores: np.ndarray, wanted: np.ndarray) -> float:
    """Return the chance that a frame that sounds scores above one that does not (ties count half)."""
    from scipy.stats import rankdata

    ranks, n = rankdata(scores), int(wanted.sum())
    return float((ranks[wanted].sum() - n * (n + 1) / 2) / (n * (len(wanted) - n)))


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
