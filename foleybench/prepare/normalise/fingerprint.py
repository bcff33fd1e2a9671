"""Compute fingerprints of a clip's audio and video.

A copy that was scaled, re-encoded, made quieter or cut a frame away keeps its fingerprint.

Both fingerprints are similarity hashes: a table of numbers that describes the content (levels of bands over time,
    levels of
video parts over time) is projected on fixed directions, and the signs are the bits. The share of bits that differ
is the angle between two tables over pi, whatever their size: near 0 for a copy, near 0.5 for unrelated content. Every
bit mixes all of the table, so bits serve as index keys (``foleybench.prepare.duplicates``).
"""

from __future__ import annotations

import base64
import functools
import hashlib
import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from foleybench.clips import AudioArray, FloatArray

N_BITS = 256
# Audio: levels of bands between telephone limits, which every rate from 8 kHz and every codec keeps.
_N_SLOTS = 24
_BAND_EDGES_HZ = np.geomspace(100.0, 3600.0, 17)
_WINDOW_S = 0.064
_FLOOR = 1e-5  # 50 dB under the loudest cell: codecs fill what is quieter with noise of their own.
_LEAST_SPREAD_DB = 0.5
# Video: mean levels of 8 x 8 parts in 8 stretches of time.
PARTS = 8
_N_STRETCHES = 8
_LEAST_SPREAD_LEVELS = 1.0


def audio_fingerprint(audio: AudioArray, rate_hz: int) -> str | None:
    """Return the fingerprint of audio, or None when the audio is silent, too short, or of one steady level.

    Args:
        audio: Mono, shape (N,).
        rate_hz: Its rate, 8 kHz or more for comparable fingerprints.
    """
    window = round(_WINDOW_S * rate_hz)
    if len(audio) < window * _N_SLOTS // 2:
        return None
    power = band_powers(audio, window, rate_hz)
    cells = _mean_over_slots(power, _N_SLOTS)
    if cells.max(initial=0.0) <= 0.0:
        return None
    levels_db = 10.0 * np.log10(np.maximum(cells / cells.max(), _FLOOR))
    # A fixed equaliser (a phone, a codec's low-pass) moves whole bands; the loudness over time counts once, not in all.
    levels_db -= levels_db.mean(axis=0)
    levels_db -= 0.75 * levels_db.mean(axis=1, keepdims=True)
    if float(levels_db.std()) < _LEAST_SPREAD_DB:
        return None
    return _bits(levels_db.ravel())


def video_fingerprint(looks: Sequence[FloatArray]) -> str | None:
    """Return the fingerprint of a video, or None when its frames are one plain level.

    Args:
        looks: ``part_levels`` of some frames, evenly spread over the clip.
    """
    if not looks:
        return None
    levels = _mean_over_slots(np.stack([look.ravel() for look in looks]), _N_STRETCHES)
    levels -= levels.mean()
    if float(levels.std()) < _LEAST_SPREAD_LEVELS:
        return None
    return _bits(levels.ravel())


def part_levels(luma: npt.NDArray[np.generic]) -> FloatArray:
    """Return the mean level of ``PARTS`` x ``PARTS`` parts of a frame (H, W), H and W at least 1."""
    rows = np.linspace(0, luma.shape[0], PARTS, endpoint=False).astype(int)
    columns = np.linspace(0, luma.shape[1], PARTS, endpoint=False).astype(int)
    sums = np.add.reduceat(np.add.reduceat(luma, rows, axis=0, dtype=np.float64), columns, axis=1)
    heights = np.maximum(1, np.diff(np.append(rows, luma.shape[0])))
    widths = np.maximum(1, np.diff(np.append(columns, luma.shape[1])))
    levels: FloatArray = sums / np.outer(heights, widths)
    return levels


def decode_fingerprint(text: str) -> npt.NDArray[np.uint8]:
    """Return a fingerprint's bytes, shape (32,) uint8.

    Raises:
        ValueError: The text is not a fingerprint.
    """
    data = base64.b64decode(text.encode("ascii"), validate=True)
    if len(data) * 8 != N_BITS:
        raise ValueError(f"{len(data)} bytes are not a fingerprint; a fingerprint has {N_BITS // 8}")
    return np.frombuffer(data, dtype=np.uint8)


def bit_difference(a: str, b: str) -> float:
    """Return the share of bits in which two fingerprints differ, 0 to 1."""
    return float(np.unpackbits(decode_fingerprint(a) ^ decode_fingerprint(b)).mean())


def band_powers(audio: AudioArray, window: int, rate_hz: int) -> FloatArray:
    """Return the mean power in each band of half-overlapping Hann windows, shape (windows, bands)."""
    frames = np.lib.stride_tricks.sliding_window_view(audio, window)[:: window // 2]
    spectrum = np.fft.rfft(frames * np.hanning(window).astype(np.float32), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    edges = np.round(_BAND_EDGES_HZ * window / rate_hz).astype(int)
    bands = [slice(low, max(low + 1, high)) for low, high in itertools.pairwise(edges)]
    sums = [power[:, band].sum(axis=1, dtype=np.float64) for band in bands]
    return np.stack(sums, axis=1)


def _mean_over_slots(values: FloatArray, n_slots: int) -> FloatArray:
    """Return the means of ``n_slots`` stretches of the first axis; each overlaps half of its neighbours."""
    n = len(values)
    width = 2.0 * n / (n_slots + 1)
    starts = np.floor(np.arange(n_slots) * width / 2).astype(int)
    ends = np.maximum(starts + 1, np.ceil(np.arange(n_slots) * width / 2 + width).astype(int))
    return np.stack([values[start:end].mean(axis=0) for start, end in zip(starts, ends, strict=True)])


def _bits(table: FloatArray) -> str:
    signs = _directions(len(table)) @ table > 0.0
    return base64.b64encode(np.packbits(signs).tobytes()).decode("ascii")


@functools.lru_cache(maxsize=4)
def _directions(n: int) -> FloatArray:
    """Return fixed directions of +1 and -1, shape (N_BITS, n): from a hash, so that no library can change them."""
    data = hashlib.shake_256(f"foleybench print {n}".encode()).digest(N_BITS * n // 8)
    bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8)).reshape(N_BITS, n)
    return bits.astype(np.float64) * 2.0 - 1.0
