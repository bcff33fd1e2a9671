"""Copies that start later: how many ``prepare`` finds, how many pairs it wrongly proposes, and what looking costs.

The sounds of the media files under FOLDER are cut at their start, halved and encoded as AAC at 64 kb/s; a copy counts
as found when marks meet its original at the right shift and the fingerprints of the shared seconds agree. Pairs of
different files that are met are named. The cost is that of two made splits of --clips clips in all, of 10 s at
44.1 kHz, as dense with marks as sounds are.

    OMP_NUM_THREADS=1 python -m benchmarks.shifted_copies [FOLDER] [--clips 1000]
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from pathlib import Path

import av
import numpy as np

from benchmarks import made_set
from foleybench.clips import AudioArray
from foleybench.errors import MediaError
from foleybench.media.hear import hear
from foleybench.prepare.duplicate_flags import read_between, write_between
from foleybench.prepare.duplicates import MOST_SOUND_ALONE
from foleybench.prepare.normalise.fingerprint import audio_fingerprint, bit_difference
from foleybench.prepare.obtain.local import VIDEO_ENDINGS
from foleybench.prepare.shifted import LEAST_SHARED_S
from foleybench.prepare.sound_marks import MarkIndex, sound_marks

CUTS_S = (2.0, 2.007, 3.5, 5.0)
Sound = tuple[AudioArray, int]


def main() -> None:
    """Print the rates, then the cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="media files; without it, cost alone")
    parser.add_argument("--clips", type=int, default=1000, help="clips of the two made splits (default: 1000)")
    args = parser.parse_args()
    if args.folder is not None:
        rates(hear_all(args.folder))
    cost(args.clips)


def hear_all(folder: Path) -> list[Sound]:
    """Return the audio of every media file that has one."""
    sounds = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in VIDEO_ENDINGS:
            try:
                found = hear(path)
            except MediaError:
                continue
            sounds.append((found.audio, found.rate_hz))
    return sounds


def rates(sounds: list[Sound]) -> None:
    """Print how many copies are found at each cut, and how many pairs of different files are met."""
    index = MarkIndex([sound_marks(*sound) for sound in sounds])
    met = [(m.place, k) for k, sound in enumerate(sounds) for m in index.meet(sound_marks(*sound)) if m.place < k]
    close = [pair for pair in met if _apart(sounds[pair[0]], sounds[pair[1]], 0.0) <= MOST_SOUND_ALONE]
    n_pairs = len(sounds) * (len(sounds) - 1) // 2
    print(f"{len(sounds)} sounds; of {n_pairs} pairs of different files {len(met)} are met, {len(close)} called copies")
    for cut_s in CUTS_S:
        long = [k for k, (audio, rate_hz) in enumerate(sounds) if len(audio) / rate_hz >= cut_s + LEAST_SHARED_S]
        found = sum(_is_found(index, sounds, k, cut_s) for k in long)
        print(f"  start cut by {cut_s:g} s: {found} of {len(long)} found")


def _is_found(index: MarkIndex, sounds: list[Sound], k: int, cut_s: float) -> bool:
    audio, rate_hz = sounds[k]
    late = _encoded(0.5 * audio[round(cut_s * rate_hz) :], rate_hz)
    for meeting in index.meet(sound_marks(late, rate_hz)):
        if meeting.place == k and abs(meeting.shift_s - cut_s) < 0.1:
            return _apart(sounds[k], (late, rate_hz), meeting.shift_s) <= MOST_SOUND_ALONE
    return False


def _apart(one: Sound, other: Sound, shift_s: float) -> float:
    """Return the share of bits in which the prints of the shared seconds differ; 1 where there is none."""
    shared_s = min(len(one[0]) / one[1] - shift_s, len(other[0]) / other[1])
    prints = []
    for (audio, rate_hz), start_s in ((one, shift_s), (other, 0.0)):
        start = round(start_s * rate_hz)
        prints.append(audio_fingerprint(audio[start : start + round(shared_s * rate_hz)], rate_hz))
    return 1.0 if prints[0] is None or prints[1] is None else bit_difference(prints[0], prints[1])


def _encoded(audio: AudioArray, rate_hz: int) -> AudioArray:
    """Return audio after AAC at 64 kb/s."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=rate_hz, layout="mono")
        stream.bit_rate = 64000
        for start in range(0, len(audio), 1024):
            part = np.ascontiguousarray(audio[None, start : start + 1024], dtype=np.float32)
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = rate_hz, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def cost(n_clips: int) -> None:
    """Print how long looking for copies between two splits takes, and the part that reads and decodes sounds takes."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for k, split in enumerate(("test", "train")):
            made_set.make(folder, n_clips // 2, 10.0, 44100, split=split, first=k * n_clips)
        started, started_s = time.process_time(), time.perf_counter()
        write_between(folder)
        spent_s = time.process_time() - started
        found = read_between(folder)
        print(f"{n_clips} clips of 10 s at 44.1 kHz in two splits: {spent_s:.1f} s of one core "
              f"({1e3 * spent_s / n_clips:.0f} ms a clip; {time.perf_counter() - started_s:.1f} s by the clock), "
              f"{len(found or [])} pairs found")  # fmt: skip


if __name__ == "__main__":
    main()
