"""AV-Align on real clips: does it tell true sound from late sound and from another clip's?

Metric ``av_align`` of the real sound of published clips, of that sound late, of the other clips' sound, and of noise.
Wants a folder ``<set>/<clip>/gt.mp4`` and the extra ``flow``:

    python benchmarks/av_align.py --pairs PAIRS --set stav2a --set thinksound --out table.md
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from foleybench import registry
from foleybench.api.encoder import Encode, Features, Signal
from foleybench.api.metric import ClipView
from foleybench.encoders._inputs.librosa_onsets import RATE_HZ
from foleybench.media.audio import resample
from foleybench.media.read import read_video

SHIFTS_S = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
RESAMPLES = 2000
METRIC = registry.load("metrics", "av_align")


class Clip(NamedTuple):
    """What ``flow_peaks`` finds in a video, and its sound at 22050 Hz."""

    motion: Features
    audio: np.ndarray


def main() -> int:
    """Measure every clip of the sets, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True, help="folder of <set>/<clip>/gt.mp4")
    parser.add_argument("--set", action="append", required=True, help="a set; may be given again")
    parser.add_argument("--out", type=Path, required=True, help="file for the table")
    args = parser.parse_args()
    see, listen = (registry.load("encoders", name).build("cpu") for name in ("flow_peaks", "onsets_librosa_defaults"))
    columns = {}
    for home in args.set:
        clips = [read(path, see) for path in sorted((args.pairs / home).glob("*/gt.mp4"))]
        columns[f"{home}, {len(clips)} clips"] = measure(clips, listen)
    names = list(next(iter(columns.values())))
    lines = ["| sound | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    lines += [
        f"| {name} | " + " | ".join(interval(column[name]) for column in columns.values()) + " |" for name in names
    ]
    args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


def read(path: Path, see: Encode) -> Clip:
    """Decode a clip."""
    video = read_video(path, short_side_px=256, with_audio=True)
    signal = Signal(
        audio=np.zeros(0, np.float32),
        duration_s=video.duration_s,
        frames=video.frames,
        frame_times_s=video.frame_times_s,
    )
    return Clip(see([signal])[0], resample(video.audio, video.rate_hz, RATE_HZ))


def onsets(audio: np.ndarray, listen: Encode) -> np.ndarray:
    """Return the times of the onsets of a sound."""
    return listen([Signal(audio=audio, duration_s=len(audio) / RATE_HZ)])[0]["times_s"]


def score(motion: Features, onsets_s: np.ndarray) -> float:
    """Return the metric of one clip; NaN where it does not apply."""
    view = ClipView(
        clip_id="clip_000000",
        source_id="clip",
        label="",
        duration_s=0.0,
        events=None,
        features={"onsets": onsets_s, "peaks": motion["peaks_s"], "frame_s": motion["frame_s"]},
    )
    stat = METRIC.per_clip(view)
    return float("nan") if stat is None else float(METRIC.pool([stat]))


def measure(clips: list[Clip], listen: Encode) -> dict[str, np.ndarray]:
    """Return the scores of the clips by what is done to their sound, and how many onsets and peaks there are."""
    sounds = {}
    for shift_s in SHIFTS_S:
        zeros = np.zeros(round(shift_s * RATE_HZ), dtype=np.float32)
        late = [np.concatenate([zeros, clip.audio])[: len(clip.audio)] for clip in clips]
        sounds[f"{shift_s:g} s late" if shift_s else "true"] = [onsets(audio, listen) for audio in late]
    # Late without silence in front: the end of the sound comes first.
    for shift_s in SHIFTS_S[1:]:
        turned = [onsets(np.roll(clip.audio, round(shift_s * RATE_HZ)), listen) for clip in clips]
        sounds[f"{shift_s:g} s late, the end in front"] = turned
    draw = np.random.default_rng(0)
    noise = [(0.1 * draw.standard_normal(len(clip.audio))).astype(np.float32) for clip in clips]
    sounds["white noise"] = [onsets(audio, listen) for audio in noise]
    found = {
        name: np.array([score(clip.motion, times_s) for clip, times_s in zip(clips, times, strict=True)])
        for name, times in sounds.items()
    }
    true = sounds["true"]
    found["other clips of the set (mean of all)"] = np.array(
        [
            np.nanmean([score(clip.motion, times_s) for j, times_s in enumerate(true) if j != i])
            for i, clip in enumerate(clips)
        ]
    )
    found["onsets a second, true"] = np.array(
        [len(t) / len(c.audio) * RATE_HZ for t, c in zip(true, clips, strict=True)]
    )
    late = zip(sounds["0.1 s late"], clips, strict=True)
    found["onsets a second, 0.1 s late"] = np.array([len(t) / len(c.audio) * RATE_HZ for t, c in late])
    found["peaks of flow a second"] = np.array([len(c.motion["peaks_s"]) / len(c.audio) * RATE_HZ for c in clips])
    return found


def interval(scores: np.ndarray) -> str:
    """Return a mean with its 95 % bootstrap interval over clips."""
    known = scores[np.isfinite(scores)]
    draws = np.random.default_rng(0).choice(known, (RESAMPLES, len(known))).mean(axis=1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return f"{known.mean():.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    sys.exit(main())
