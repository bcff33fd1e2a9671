"""Resample as resampy 0.2.2 does: from a table of the filter.

librosa 0.8 resamples so by default (``kaiser_best``), and Diff-Foley pins both. The table has 512 entries for each zero
crossing, with straight lines between them; when the rate falls, taps are a whole number of entries apart, which moves
the level by up to 0.3 %. Output times are added up one by one, so where one is a whole input sample, rounding decides
which of the two wings holds that sample; here they are added up likewise.

Sources: J. O. Smith, Digital Audio Resampling (2002); bmcfee/resampy 0.2.2 resampy/interpn.py, core.py.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from foleybench.clips import AudioArray, FloatArray, IntArray
from foleybench.media import sinc_direct

if TYPE_CHECKING:
    from torch import Tensor

ENTRIES = 512
_ZEROS, _ROLLOFF, _BETA = 64, 0.9475937167399596, 14.769656459379492
_BLOCK = 1024


class _Taps(NamedTuple):
    """The filter at one pair of rates.

    Attributes:
        wing: Its right half as a table, scaled.
        scale: Zero crossings from one input sample to the next.
        apart: Entries of the table from one tap to the next.
        reach: Taps to either side.
    """

    wing: FloatArray
    scale: float
    apart: int
    reach: int


def table_resample(audio: AudioArray, from_hz: int, to_hz: int) -> AudioArray:
    """Resample from the table.

    Args:
        audio: Shape (N,) float32.
        from_hz: Rate of ``audio``.
        to_hz: Wanted rate, another one.

    Returns:
        ``int(N * (to_hz / from_hz))`` samples, float32; librosa adds a zero where that is one too few.
    """
    ratio = to_hz / from_hz
    taps = _taps(ratio)
    n = int(len(audio) * ratio)
    times = np.concatenate([[0.0], np.cumsum(np.full(max(0, n - 1), 1.0 / ratio))])[:n]
    common = math.gcd(from_hz, to_hz)
    old, new = from_hz // common, to_hz // common
    if old * new > sinc_direct.MAX_TABLE:
        return _at(audio, times, taps)
    found = _by_phase(audio, old, new, taps, n)
    found[::new] = _at(audio, times[::new], taps)
    return found


def _by_phase(audio: AudioArray, old: int, new: int, taps: _Taps, n: int) -> AudioArray:
    """Return ``n`` samples by one filter per output phase; rounding of times, which phase 0 depends on, is left out."""
    import torch  # late, so that processes which never resample start without it

    left, right = taps.reach, old + taps.reach + 1
    with torch.inference_mode():
        padded = torch.nn.functional.pad(torch.from_numpy(np.ascontiguousarray(audio)), (left, right))
        phases = torch.nn.functional.conv1d(padded[None, None], _filters(old, new, taps.scale), stride=old)
    return np.ascontiguousarray(phases[0].T.reshape(-1).numpy()[:n])


@functools.lru_cache(maxsize=8)
def _filters(old: int, new: int, scale: float) -> Tensor:
    """Return a filter for each output phase, shape (new, 1, taps); tap ``reach`` meets the first of ``old`` inputs."""
    import torch

    taps = _taps(scale)
    before, rest = np.divmod(np.arange(new) * old, new)
    filters = np.zeros((new, old + 2 * taps.reach + 1))
    rows, steps = np.arange(new)[:, None], np.arange(taps.reach)
    here = (before + taps.reach)[:, None]
    filters[rows, here - steps] = _weights(taps, scale * rest / new)
    filters[rows, here + 1 + steps] = _weights(taps, scale - scale * rest / new)
    return torch.from_numpy(filters.astype(np.float32))[:, None]


def _at(audio: AudioArray, times: FloatArray, taps: _Taps) -> AudioArray:
    """Return the samples at ``times`` (n,), in input samples, each from its own taps."""
    steps = np.arange(taps.reach)
    padded = np.pad(audio.astype(np.float64), (taps.reach, taps.reach + 1))
    found = np.zeros(len(times), dtype=np.float32)
    for start in range(0, len(times), _BLOCK):
        now = times[start : start + _BLOCK]
        before = now.astype(np.int64)
        phase = taps.scale * (now - before)
        here = (before + taps.reach)[:, None]
        left = _weights(taps, phase) * padded[here - steps]
        right = _weights(taps, taps.scale - phase) * padded[here + 1 + steps]
        found[start : start + len(now)] = left.sum(axis=1) + right.sum(axis=1)
    return found


def _weights(taps: _Taps, phase: FloatArray) -> FloatArray:
    """Return the filter from ``phase`` zero crossings (n,) on, at every tap, (n, reach); past its end it is 2e-8."""
    at = phase * ENTRIES
    first = at.astype(np.int64)
    index: IntArray = first[:, None] + taps.apart * np.arange(taps.reach)
    last = len(taps.wing) - 1
    low, high = taps.wing[np.minimum(index, last)], taps.wing[np.minimum(index + 1, last)]
    return np.asarray(low + (at - first)[:, None] * (high - low), dtype=np.float64)


def _taps(ratio: float) -> _Taps:
    scale = min(1.0, ratio)
    apart = max(1, int(scale * ENTRIES))
    wing = _wing() * scale
    return _Taps(wing, scale, apart, len(wing) // apart + 1)


@functools.cache
def _wing() -> FloatArray:
    """Return the right half of the windowed sinc, shape (64 * 512 + 1,)."""
    n = _ZEROS * ENTRIES
    crossings = np.linspace(0, _ZEROS, n + 1)
    window = np.i0(_BETA * np.sqrt(1.0 - (np.arange(n + 1) / n) ** 2)) / np.i0(_BETA)
    return np.asarray(_ROLLOFF * np.sinc(_ROLLOFF * crossings) * window, dtype=np.float64)
