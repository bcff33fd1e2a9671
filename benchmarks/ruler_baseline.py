"""The pasted-grains baseline beside the oracle and the real audio, on prepared shards of SynthFoley.

``python benchmarks/ruler_baseline.py TEST TRAIN CHECKPOINT`` (two manifests, a folder) after ``train pasted_grains``.
Event F1 counts all audible contacts, hidden ones too; what a detector finds inside a sounding stroke counts neither for
nor against. The class judge is a ridge on band levels of true training audio, told nothing of the systems it judges;
its accuracy is on the class of a clip's main source.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402

from foleybench import registry  # noqa: E402
from foleybench.api.model import BuildContext  # noqa: E402
from foleybench.clips import AudioArray, Clip, FloatArray  # noqa: E402
from foleybench.encoders._inputs.spectra import decibels, mel_power  # noqa: E402
from foleybench.encoders.onsets import GRID, detect  # noqa: E402
from foleybench.generation.folder import generate_one  # noqa: E402
from foleybench.media.audio import resample  # noqa: E402
from foleybench.metrics._math.onset_matching import count_matches  # noqa: E402
from foleybench.shards.dataset import ShardDataset  # noqa: E402

RATE_HZ = 16000
TOLERANCES_S = (0.025, 0.05)
_AROUND_S = 0.03


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("test", type=Path)
    parser.add_argument("train", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--limit", type=int, help="only so many test clips")
    parser.add_argument("--judge-clips", type=int, help="train the class judge on so many clips")
    args = parser.parse_args()
    test = ShardDataset(args.test)
    clips = [test.load(clip_id) for clip_id in test.clip_ids[: args.limit]]
    judge = class_judge(ShardDataset(args.train), args.judge_clips)
    print(f"{len(clips)} clips of {args.test}")
    print(f"{'':16} {'F1 25 ms':>17} {'F1 50 ms':>17} {'class accuracy':>17}")
    for name, audio_of in systems(args.checkpoint, args.train).items():
        sounds = [audio_of(clip) for clip in clips]
        cells = [_interval([_counts(c, s, t) for c, s in zip(clips, sounds, strict=True)]) for t in TOLERANCES_S]
        right = [(float(judge(s) == c.label), 1.0) for c, s in zip(clips, sounds, strict=True)]
        print(f"{name:16} " + " ".join(f"{cell:>17}" for cell in [*cells, _interval(right)]))


def systems(checkpoint: Path, train: Path) -> dict[str, Callable[[Clip], AudioArray]]:
    """Return what makes the audio of each row."""

    def of(name: str, folder: Path | None = None) -> Callable[[Clip], AudioArray]:
        model = registry.load("models", name)
        generator = model.build(BuildContext(checkpoint=folder, data=ShardDataset(train)))
        return lambda clip: generate_one(model, generator, clip, seed=0)

    def true(clip: Clip) -> AudioArray:
        assert clip.audio is not None
        return resample(clip.audio, clip.rate_hz, RATE_HZ)

    return {"real audio": true, "oracle": of("oracle"), "pasted grains": of("pasted_grains", checkpoint)}


def class_judge(train: ShardDataset, n_clips: int | None) -> Callable[[AudioArray], str]:
    """Fit a ridge from band levels to classes on real audio; return what names the class of audio."""
    rows, labels = [], []
    for clip_id in train.clip_ids[:n_clips]:
        clip = train.load(clip_id, video=False)
        assert clip.audio is not None
        rows.append(_described(resample(clip.audio, clip.rate_hz, RATE_HZ)))
        labels.append(clip.label)
    names = sorted(set(labels))
    x = np.asarray(rows)
    centre, spread = x.mean(0), x.std(0) + 1e-3
    z = np.concatenate([(x - centre) / spread, np.ones((len(x), 1))], axis=1)
    y = np.asarray([[label == name for name in names] for label in labels], dtype=float)
    # In the dual when there are fewer clips than numbers; the same answer.
    weights = z.T @ np.linalg.solve(z @ z.T + 0.02 * len(z) * np.eye(len(z)), y)

    def name_of(sound: AudioArray) -> str:
        row = np.append((_described(sound) - centre) / spread, 1.0)
        return names[int((row @ weights).argmax())]

    return name_of


def _described(sound: AudioArray) -> FloatArray:
    """Return deciles of each band's level, of its rise, and products of the band profile: shape (n,)."""
    levels = decibels(mel_power(sound, GRID), -200.0)
    levels = np.maximum(levels, levels.max() - 60.0)
    rise = np.diff(levels, axis=0)
    profile = levels.mean(0) - levels.mean()
    bent = np.outer(profile, profile)[np.triu_indices(len(profile))] / 10.0
    deciles = (0.1, 0.5, 0.9, 0.98)
    parts = [np.quantile(levels - levels.max(), deciles, axis=0), np.quantile(rise, (0.02, 0.1, 0.9, 0.98), axis=0)]
    return np.concatenate([part.ravel() for part in parts] + [bent])


def _counts(clip: Clip, sound: AudioArray, tolerance_s: float) -> tuple[float, float]:
    """Return twice the hits, and onsets plus events, of one clip; zeros when it has no contact that sounds."""
    wanted = clip.onset_times_s()
    if not len(wanted):
        return 0.0, 0.0
    found = detect(sound)[0]
    hits = count_matches(wanted, found, tolerance_s)
    strokes = [e for e in clip.events or () if e.audible and e.kind == "span"]
    inside = np.zeros(len(found), dtype=bool)
    for stroke in strokes:
        inside |= (found > stroke.time_s - _AROUND_S) & (found < stroke.time_s + stroke.duration_s + _AROUND_S)
    # Those outside strokes that were matched stay counted; those inside that match nothing are forgiven.
    alone = found[inside]
    forgiven = len(alone) - count_matches(wanted, alone, tolerance_s)
    return 2.0 * hits, float(len(wanted) + max(hits, len(found) - forgiven))


def _interval(pairs: list[tuple[float, float]]) -> str:
    """Return the ratio of sums with its 95 % bootstrap interval."""
    table = np.asarray(pairs)
    rng = np.random.default_rng(0)
    draws = table[rng.integers(0, len(table), (1000, len(table)))].sum(1)
    low, high = np.quantile(draws[:, 0] / draws[:, 1], [0.025, 0.975])
    value = table[:, 0].sum() / table[:, 1].sum()
    return f"{value:.3f} [{low:.2f}, {high:.2f}]"


if __name__ == "__main__":
    main()
