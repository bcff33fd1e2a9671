"""AV-Align of TempoTokens on real clips: does it tell true sound from late sound and from another clip's?

Intersection over union of the peaks of optical flow (Farneback, OpenCV) and the onsets of the sound (librosa's detector
with its own defaults), an onset counting as met within one frame of a peak: guyyariv/TempoTokens@34d9502 av_align.py.
Pictures are scaled to 256 pixels at the short side, which that script does not do. Wants a folder
``<set>/<clip>/gt.mp4`` and the package opencv-python-headless:

    python benchmarks/av_align.py --pairs PAIRS --set stav2a --set thinksound --out table.md
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np

from foleybench.encoders import onsets_librosa
from foleybench.media.audio import resample
from foleybench.media.hear import hear

# Of librosa's onset_detect; the encoder's own is that of the video-to-audio papers.
onsets_librosa.DELTA = 0.07
SHIFTS_S = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
SHORT_SIDE, RATE_HZ = 256, onsets_librosa.RATE_HZ
RESAMPLES = 2000


class Clip(NamedTuple):
    """Times of the peaks of a picture's flow, its frame rate, and its sound at 22050 Hz."""

    peaks_s: np.ndarray
    fps: float
    audio: np.ndarray


def main() -> int:
    """Measure every clip of the sets, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True, help="folder of <set>/<clip>/gt.mp4")
    parser.add_argument("--set", action="append", required=True, help="a set; may be given again")
    parser.add_argument("--out", type=Path, required=True, help="file for the table")
    args = parser.parse_args()
    columns = {}
    for home in args.set:
        clips = [read(path) for path in sorted((args.pairs / home).glob("*/gt.mp4"))]
        columns[f"{home}, {len(clips)} clips"] = measure(clips)
    names = list(next(iter(columns.values())))
    lines = ["| sound | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    lines += [
        f"| {name} | " + " | ".join(interval(column[name]) for column in columns.values()) + " |" for name in names
    ]
    args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


def read(path: Path) -> Clip:
    """Decode a clip; its flow has a peak where it is larger than at both neighbours."""
    with av.open(str(path), metadata_errors="ignore") as container:
        stream = container.streams.video[0]
        fps = float(stream.average_rate)
        scale = SHORT_SIDE / min(stream.width, stream.height)
        size = round(stream.width * scale), round(stream.height * scale)
        grey = [cv2.resize(frame.to_ndarray(format="gray"), size) for frame in container.decode(stream)]
    flow = [mean_flow(one, other) for one, other in itertools.pairwise(grey)]
    track = np.array([flow[0], *flow])
    inner = (track[1:-1] > track[:-2]) & (track[1:-1] > track[2:])
    heard = hear(path, "mean", max_s=60)
    return Clip((np.flatnonzero(inner) + 1) / fps, fps, resample(heard.audio, heard.rate_hz, RATE_HZ))


def mean_flow(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean length of the flow from one picture to the next, in pixels."""
    flow = cv2.calcOpticalFlowFarneback(one, other, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    return float(np.hypot(flow[..., 0], flow[..., 1]).mean())


def score(clip: Clip, audio: np.ndarray) -> float:
    """Return the intersection over union of flow peaks and onsets; NaN without either."""
    onsets = onsets_librosa.detect_as_librosa(audio) / RATE_HZ
    if not len(onsets) + len(clip.peaks_s):
        return float("nan")
    met = int((np.abs(onsets[:, None] - clip.peaks_s) < 1 / clip.fps).any(axis=1).sum()) if len(clip.peaks_s) else 0
    return met / (len(onsets) + len(clip.peaks_s) - met)


def measure(clips: list[Clip]) -> dict[str, np.ndarray]:
    """Return the scores of the clips by what is done to their sound."""
    made = {}
    for shift_s in SHIFTS_S:
        n = round(shift_s * RATE_HZ)
        late = [np.concatenate([np.zeros(n, dtype=np.float32), clip.audio])[: len(clip.audio)] for clip in clips]
        name = f"{shift_s:g} s late" if shift_s else "true"
        made[name] = np.array([score(clip, audio) for clip, audio in zip(clips, late, strict=True)])
    others = [[score(clip, other.audio) for other in clips if other is not clip] for clip in clips]
    made["other clips of the set (mean of all)"] = np.nanmean(others, axis=1)
    draw = np.random.default_rng(0)
    noise = [(0.1 * draw.standard_normal(len(clip.audio))).astype(np.float32) for clip in clips]
    made["white noise"] = np.array([score(clip, audio) for clip, audio in zip(clips, noise, strict=True)])
    return made


def interval(scores: np.ndarray) -> str:
    """Return a mean with its 95 % bootstrap interval over clips."""
    known = scores[np.isfinite(scores)]
    draws = np.random.default_rng(0).choice(known, (RESAMPLES, len(known))).mean(axis=1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return f"{known.mean():.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    sys.exit(main())
