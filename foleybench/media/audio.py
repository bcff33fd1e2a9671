"""Sound as arrays and files: read, write, resample. Mono float32 throughout."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile

from foleybench.clips import AudioArray, Channels
from foleybench.errors import FoleyError, MediaError
from foleybench.media import sinc


def read_sound(source: Path | bytes, channels: Channels = "mean") -> tuple[AudioArray, int]:
    """Read a WAV or FLAC file, or its bytes, as mono.

    Args:
        source: The file, or its content.
        channels: How several channels become one.

    Returns:
        Samples (N,) float32 and the rate in Hz.

    Raises:
        MediaError: ``undecodable`` when libsndfile cannot read it or it holds a sample that is not finite.
    """
    name = "sound" if isinstance(source, bytes) else str(source)
    try:
        handle = io.BytesIO(source) if isinstance(source, bytes) else str(source)
        samples, rate_hz = soundfile.read(handle, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, EOFError) as error:
        raise MediaError("undecodable", f"{name}: {_words(error)}") from error
    averaged = channels == "mean" and samples.shape[1] > 1
    mono = samples.mean(axis=1, dtype=np.float32) if averaged else samples[:, 0]
    if not np.isfinite(mono).all():
        raise MediaError("not_finite", f"{name}: holds samples that are NaN or infinite")
    return np.ascontiguousarray(mono, dtype=np.float32), int(rate_hz)


def _words(error: Exception) -> str:
    """Return libsndfile's own words, without the name that soundfile puts in front (of bytes: an object)."""
    return str(getattr(error, "error_string", None) or error)


def flac_bytes(audio: AudioArray, rate_hz: int) -> bytes:
    """Return mono sound as a 16-bit FLAC file; values beyond [-1, 1] are clipped by the format."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(audio, -1.0, 1.0), rate_hz, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def write_wav(path: Path, audio: AudioArray, rate_hz: int) -> None:
    """Write mono sound as 16-bit WAV, under a temporary name first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    soundfile.write(temporary, np.clip(audio, -1.0, 1.0), rate_hz, format="WAV", subtype="PCM_16")
    temporary.replace(path)


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
    return np.ascontiguousarray(sinc.resample(audio, from_hz, to_hz)[:wanted])


def fit_length(audio: AudioArray, n_samples: int) -> AudioArray:
    """Cut or zero-pad at the end to exactly ``n_samples``."""
    if len(audio) >= n_samples:
        return np.ascontiguousarray(audio[:n_samples])
    return np.pad(audio, (0, n_samples - len(audio)))


def require_finite(audio: AudioArray) -> None:
    """Refuse a sound with NaN or infinite samples.

    Raises:
        FoleyError: Names the first bad sample.
    """
    bad = np.flatnonzero(~np.isfinite(audio))
    if len(bad):
        raise FoleyError(f"sample {bad[0]} of {len(audio)} is {audio[bad[0]]}; features need finite sound.")
