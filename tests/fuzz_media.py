"""Sounds and videos of every container, broken by a seed, and what reading them comes to."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np

from foleybench.api.dataset import Profile
from foleybench.errors import MediaError
from foleybench.media.hear import hear
from foleybench.prepare.normalise.normalise import normalise
from tests.made_media import write_video
from tests.mutated_media import mutate

RATE_HZ, SECONDS = 16000, 1.0
PROFILE = Profile(name="fuzz", clip_s=SECONDS)
# What `eval` reads of audio: the clip and its surplus.
MAX_S = 61.0
# Files that hold checksums of all that is heard: in them, no change goes unnoticed. (Of an MKV, FFmpeg's.)
CHECKED = frozenset({"flac", "mkv", "ogg"})
KINDS = {
    "mp4": ("libx264", "aac"),
    "mkv": ("libx264", "flac"),
    "webm": ("libvpx", "libopus"),
    "avi": ("mpeg4", "libmp3lame"),
    "wav": (None, "pcm_s16le"),
    "flac": (None, "flac"),
    "mp3": (None, "libmp3lame"),
    "ogg": (None, "libopus"),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ended:
    """What became of one input.

    Attributes:
        container: Its kind.
        mutation: How it was broken.
        status: ``ok``, or the status word of the error.
        remarks: Kinds of the remarks on audio that was read.
        changed: Whether the audio was read, differs from the good audio, and no remark says so.
        seconds: How long reading took.
    """

    container: str
    mutation: str
    status: str
    remarks: tuple[str, ...]
    changed: bool
    seconds: float


def good_files(folder: Path) -> dict[str, Path]:
    """Write a second of noise with a moving video, where the container takes one, in each kind."""
    rng = np.random.default_rng(0)
    base = rng.integers(0, 255, (48, 64, 3)).astype(np.uint8)
    frames = np.stack([np.roll(base, 2 * k, axis=1) for k in range(round(25 * SECONDS))])
    made = {}
    for kind, (codec, audio_codec) in KINDS.items():
        rate_hz = 48000 if audio_codec == "libopus" else RATE_HZ
        audio = rng.normal(0, 0.1, (2, round(SECONDS * rate_hz))).astype(np.float32)
        video = {} if codec is None else {"codec": codec}
        made[kind] = write_video(
            folder / f"good.{kind}",
            frames if codec else None,
            audio=audio,
            rate_hz=rate_hz,
            audio_codec=audio_codec,
            **video,
        )
    return made


class Fuzzer:
    """Breaks good files and reads them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._seed = folder, seed
        self._good = good_files(folder)
        self._heard = {kind: hear(path) for kind, path in self._good.items()}

    def __call__(self, number: int) -> Ended:
        """Break one file and read it, as ``eval`` does, and a video as ``prepare`` does too."""
        kind = list(KINDS)[number % len(KINDS)]
        rng = np.random.default_rng((self._seed, number))
        mutation, data = mutate(self._good[kind].read_bytes(), rng)
        path = self._folder / f"broken.{kind}"
        path.write_bytes(data)
        started = time.process_time()
        status, remarks, changed = self._hear(path, kind)
        if KINDS[kind][0] is not None:
            self._prepare(path)
        seconds = time.process_time() - started
        return Ended(
            container=kind, mutation=mutation, status=status, remarks=remarks, changed=changed, seconds=seconds
        )

    def _hear(self, path: Path, kind: str) -> tuple[str, tuple[str, ...], bool]:
        good = self._heard[kind]
        try:
            heard = hear(path, max_s=MAX_S)
        except MediaError as error:
            return _told(error), (), False
        assert len(heard.audio) <= (MAX_S + 2) * heard.rate_hz
        assert np.isfinite(heard.audio).all()
        same = heard.rate_hz == good.rate_hz and len(heard.audio) == len(good.audio)
        same = same and float(np.abs(heard.audio - good.audio).max(initial=0.0)) < 1e-3
        return "ok", tuple(remark.kind for remark in heard.remarks), not same and not heard.remarks

    def _prepare(self, path: Path) -> None:
        try:
            sample = normalise(path, PROFILE)
        except MediaError as error:
            _told(error)
        else:
            assert sample.facts["duration_s"] <= SECONDS


def _told(error: MediaError) -> str:
    """Return the status of an error that says why."""
    if not error.reason:
        raise AssertionError(f"{error.status} without a reason")
    return error.status
