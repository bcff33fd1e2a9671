"""Read, write and resample audio, mono float32 throughout."""

from __future__ import annotations

import hashlib
import io
import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from foleybench.clips import AudioArray, Channels
from foleybench.errors import FoleyError, MediaError
from foleybench.files import write_atomically
from foleybench.media import sinc
from foleybench.media.flac_head import frame_rate_hz
from foleybench.media.mixdown import Mixdown, require_plausible, without_lfe
from foleybench.media.plain_file import require_file

if TYPE_CHECKING:
    # Imported where files are read or written: the models train and run where libsndfile is not.
    import soundfile

MIN_RATE_HZ, MAX_RATE_HZ = 1000, 768_000
# Of audio without a limit of its own: 2 GiB of samples.
MAX_VALUES = 1 << 29
# libsndfile's words for a chunk of samples that is larger than what is left of the file.
_CUT = re.compile(r"^data : (\d+) \(should be (\d+)\)", re.MULTILINE)
_UNKNOWN_LENGTH = 0x7FFFF000
# Mark, head of the first block, and that block (STREAMINFO), which ends in the MD5 of the samples.
_FLAC_HEAD = 4 + 4 + 34


class SoundFile(NamedTuple):
    """The audio of a WAV or FLAC file.

    Attributes:
        audio: Shape (N,) float32.
        rate_hz: Its rate.
        n_stated: How many samples the file says that it has; None when it does not say.
        n_there: Of these, how many can be there by the size of the file, or were there when it was read.
        mixdown: What mixing the channels cost.
        altered: Whether the samples are others than those whose MD5 the file states (FLAC, read to its end), or the
            rate is another than its frames state.
        n_channels: Channels of the file, before they became one.
    """

    audio: AudioArray
    rate_hz: int
    n_stated: int | None
    n_there: int | None
    mixdown: Mixdown
    altered: bool
    n_channels: int


def read_sound(source: Path | bytes, channels: Channels = "mean") -> tuple[AudioArray, int]:
    """Read a WAV or FLAC file, or its bytes, as mono.

    Args:
        source: The file, or its content.
        channels: How several channels become one.

    Returns:
        Samples (N,) float32 and the rate in Hz.

    Raises:
        MediaError: As ``read_sound_file``.
    """
    found = read_sound_file(source, channels)
    return found.audio, found.rate_hz


def read_sound_file(source: Path | bytes, channels: Channels = "mean", max_s: float = float("inf")) -> SoundFile:
    """Read a WAV or FLAC file, or its bytes, as mono, with what it says of itself.

    Args:
        source: The file, or its content.
        channels: How several channels become one; where they cancel each other, the mean is that of the loudest alone.
        max_s: Read at most this much.

    Raises:
        MediaError: ``not_a_file`` for a pipe or device, ``undecodable`` when libsndfile cannot read it, ``bad_rate``,
            ``not_finite`` or ``out_of_range`` for what no audio has, ``too_large`` when it does not fit into memory.
    """
    name = "sound" if isinstance(source, bytes) else source.name
    if not isinstance(source, bytes):
        require_file(source)
    import soundfile

    # A file name need not be UTF-8, which ``str`` needs; soundfile takes bytes, though its types do not say so.
    opened: Any = io.BytesIO(source) if isinstance(source, bytes) else os.fsencode(source)
    try:
        with soundfile.SoundFile(opened) as file:
            require_rate(file.samplerate)
            n = _n_wanted(file, max_s)
            samples = np.asarray(file.read(n, dtype="float32", always_2d=True), dtype=np.float32)
            n_stated, n_there = _stated(file)
            if len(samples) < n:
                n_there = len(samples)
            whole = len(samples) == file.frames
            altered = False
            if not isinstance(source, bytes) and file.format == "FLAC":
                altered = frame_rate_hz(source) not in (None, file.samplerate)
                altered = altered or (whole and _altered(source, samples, file.subtype))
    except (soundfile.LibsndfileError, RuntimeError, EOFError, ValueError, TypeError) as error:
        raise MediaError("undecodable", f"{name}: {_words(error)}") from error
    mixdown = Mixdown()
    values = samples.T[:1] if channels == "first" else samples.T[without_lfe(samples.shape[1])]
    require_plausible(values)
    mixed = mixdown.add(values) if values.shape[1] else np.zeros(0, dtype=np.float32)
    audio = values[mixdown.loudest] if mixdown.cancelled else mixed
    mono = np.ascontiguousarray(audio, dtype=np.float32)
    return SoundFile(mono, file.samplerate, n_stated, n_there, mixdown, altered, samples.shape[1])


def read_channels(source: Path | bytes, max_s: float = float("inf")) -> AudioArray:
    """Read all channels of a WAV or FLAC file, or of its bytes, shape (C, N) float32.

    Args:
        source: The file, or its content.
        max_s: Read at most this much.

    Raises:
        MediaError: As ``read_sound_file``.
    """
    import soundfile

    opened: Any = io.BytesIO(source) if isinstance(source, bytes) else os.fsencode(source)
    try:
        with soundfile.SoundFile(opened) as file:
            samples = file.read(_n_wanted(file, max_s), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, EOFError, ValueError, TypeError) as error:
        name = "sound" if isinstance(source, bytes) else source.name
        raise MediaError("undecodable", f"{name}: {_words(error)}") from error
    channels = np.ascontiguousarray(samples.T, dtype=np.float32)
    require_plausible(channels)
    return channels


def _n_wanted(file: soundfile.SoundFile, max_s: float) -> int:
    """Return how many samples to read: never more than the file states, the limit, or memory allows."""
    n: int = file.frames if math.isinf(max_s) else min(file.frames, math.ceil(max_s * file.samplerate))
    if n * file.channels > MAX_VALUES:
        raise MediaError("too_large", f"the audio has {n} samples of {file.channels} channels; too many to be read")
    return n


def _altered(path: Path, samples: AudioArray, subtype: str) -> bool:
    """Return whether samples (N, C) from a FLAC file differ from the MD5 that the file states; False without an MD5."""
    with path.open("rb") as handle:
        head = handle.read(_FLAC_HEAD)
    n_bytes = {"PCM_16": 2, "PCM_24": 3}.get(subtype)
    stated = head[-16:]
    if len(head) < _FLAC_HEAD or head[:4] != b"fLaC" or not any(stated) or n_bytes is None:
        return False
    whole = np.round(samples.astype(np.float64) * 2.0 ** (8 * n_bytes - 1)).astype("<i4")
    data = np.ascontiguousarray(whole).view(np.uint8).reshape(-1, 4)[:, :n_bytes]
    return hashlib.md5(np.ascontiguousarray(data).tobytes(), usedforsecurity=False).digest() != stated


def _stated(file: soundfile.SoundFile) -> tuple[int | None, int | None]:
    """Return how many samples the file claims to hold, and how many its size allows."""
    found = _CUT.search(file.extra_info)
    if not found:
        return file.frames, file.frames
    stated, there = int(found[1]), int(found[2])
    # A writer to a pipe cannot go back to the header and enter the final length.
    if stated == 0 or stated >= _UNKNOWN_LENGTH or not there:
        return None, file.frames
    return round(file.frames * stated / there), file.frames


def require_rate(rate_hz: int) -> None:
    """Refuse a sample rate that no audio has: it would decide how much memory a clip takes.

    Raises:
        MediaError: ``bad_rate``.
    """
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise MediaError(
            "bad_rate", f"the file says that its rate is {rate_hz} Hz; {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz are read"
        )


def _words(error: Exception) -> str:
    """Return libsndfile's own message, without the file name that soundfile puts before it."""
    return str(getattr(error, "error_string", None) or error)


def flac_bytes(audio: AudioArray, rate_hz: int) -> bytes:
    """Return audio (N,), or of two channels (2, N), as a 16-bit FLAC file; values beyond [-1, 1] are clipped."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(audio, -1.0, 1.0).T, rate_hz, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def write_wav(path: Path, audio: AudioArray, rate_hz: int, *, exact: bool = False) -> None:
    """Write audio (N,), or of two channels (2, N), as 16-bit WAV, or (``exact``) as 32-bit float.

    The file appears whole or not at all.

    Raises:
        FoleyError: The file cannot be written (full disk, no permission).
    """
    import soundfile

    # In memory first: on a full disk libsndfile says only "system error".
    buffer = io.BytesIO()
    if exact:
        soundfile.write(buffer, audio.T, rate_hz, format="WAV", subtype="FLOAT")
    else:
        soundfile.write(buffer, np.clip(audio, -1.0, 1.0).T, rate_hz, format="WAV", subtype="PCM_16")
    write_atomically(path, buffer.getvalue())


def resample(audio: AudioArray, from_hz: int, to_hz: int) -> AudioArray:
    """Resample with torchaudio's default windowed sinc (Hann, width 6, roll-off 0.99), as av-benchmark does.

    Args:
        audio: Shape (N,).
        from_hz: Rate of ``audio``.
        to_hz: Wanted rate.

    Returns:
        ``round(N * to_hz / from_hz)`` samples (torchaudio rounds up; the surplus sample, if any, is cut).
    """
    if from_hz == to_hz:
        return audio
    wanted = round(len(audio) * to_hz / from_hz)
    return np.ascontiguousarray(sinc.sinc_resample(audio, from_hz, to_hz)[:wanted])


def fit_length(audio: AudioArray, n_samples: int) -> AudioArray:
    """Cut or zero-pad at the end to exactly ``n_samples``."""
    if len(audio) >= n_samples:
        return np.ascontiguousarray(audio[:n_samples])
    return np.pad(audio, (0, n_samples - len(audio)))


def require_finite(audio: AudioArray) -> None:
    """Refuse audio with NaN or infinite samples.

    Raises:
        FoleyError: Names the first bad sample.
    """
    bad = np.flatnonzero(~np.isfinite(audio))
    if len(bad):
        raise FoleyError(f"sample {bad[0]} of {len(audio)} is {audio[bad[0]]}; features need finite audio.")
