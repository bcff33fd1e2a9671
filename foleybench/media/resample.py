"""Resample as other toolkits do.

Each is the library's own method to the accuracy that its test states.

``torchaudio`` (windowed sinc, Hann, width 6, roll-off 0.99) is ours and av-benchmark's. The others exist for presets
that reproduce other toolkits: ``torchaudio_float32`` is the same filter computed in float32, as by torchaudio's
``functional.resample``, which audioldm_eval and av-benchmark before ImageBind call.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from foleybench.clips import AudioArray, FloatArray, Resampler
from foleybench.media import sinc, sinc_direct, sinc_table
from foleybench.media.audio import resample

if TYPE_CHECKING:
    from torch import Tensor


# The filter "kaiser_best" of resampy 0.2 (64 zero crossings), which librosa used until 0.10, as torchaudio and fadtk
# write it down; ``resampy`` is what resampy's table of 2^9 entries makes of it, up to 0.3 % off in level.
_KAISER_BEST = sinc.Filter(zeros=64, rolloff=0.9475937167399596, window="kaiser", beta=14.769656459379492)
_JULIUS_ZEROS, _JULIUS_ROLLOFF = 24, 0.945


def resample_as(method: Resampler, audio: AudioArray, from_hz: int, to_hz: int) -> AudioArray:
    """Resample with one of the methods; nothing is done at equal rates or to empty audio.

    Args:
        method: The library whose method is used.
        audio: Shape (N,).
        from_hz: Rate of ``audio``.
        to_hz: Wanted rate.

    Returns:
        About ``N * to_hz / from_hz`` samples; libraries round this differently, so the caller cuts or pads.
    """
    if from_hz == to_hz or not len(audio):
        return audio
    return _METHODS[method](np.ascontiguousarray(audio, dtype=np.float32), from_hz, to_hz)


def _torchaudio_float32(audio: AudioArray, from_hz: int, to_hz: int) -> AudioArray:
    return sinc.sinc_resample(audio, from_hz, to_hz, sinc.HANN_FLOAT32)


def _kaiser_best(audio: AudioArray, from_hz: int, to_hz: int) -> AudioArray:
    return sinc.sinc_resample(audio, from_hz, to_hz, _KAISER_BEST)


def _soxr_hq(audio: AudioArray, from_hz: int, to_hz: int) -> AudioArray:
    import soxr

    return np.asarray(soxr.resample(audio, from_hz, to_hz, quality="HQ"), dtype=np.float32)


@functools.lru_cache(maxsize=16)
def _julius_filters(old: int, new: int) -> tuple[Tensor, int]:
    """One filter per output phase, each of unit sum, shape (new, 1, taps), and how far they reach before the sample."""
    import torch

    cutoff = min(old, new) * _JULIUS_ROLLOFF
    reach = math.ceil(_JULIUS_ZEROS * old / cutoff)
    taps = np.arange(-reach, reach + old, dtype=np.float64)
    crossings = (taps / old - np.arange(new)[:, None] / new) * cutoff
    filters = _julius_kernel(crossings)
    filters /= filters.sum(axis=1, keepdims=True)
    return torch.from_numpy(filters.astype(np.float32))[:, None], reach


def _julius(audio: AudioArray, from_hz: int, to_hz: int) -> AudioArray:
    """Windowed sinc whose ends repeat the first and the last sample (adefossez/julius, resample_frac)."""
    common = math.gcd(from_hz, to_hz)
    old, new = from_hz // common, to_hz // common
    if old * new > sinc_direct.MAX_TABLE:
        return _julius_without_table(audio, old, new)
    import torch

    filters, reach = _julius_filters(old, new)
    padded = np.pad(audio, (reach, reach + old), mode="edge")
    with torch.inference_mode():
        phases = torch.nn.functional.conv1d(torch.from_numpy(padded)[None, None], filters, stride=old)
    found: AudioArray = phases[0].T.reshape(-1).numpy()[: len(audio) * new // old]
    return np.ascontiguousarray(found)


def _julius_kernel(crossings: FloatArray) -> FloatArray:
    inside = np.clip(crossings, -_JULIUS_ZEROS, _JULIUS_ZEROS)
    return np.asarray(np.sinc(inside) * np.cos(np.pi * inside / _JULIUS_ZEROS / 2) ** 2, dtype=np.float64)


def _julius_without_table(audio: AudioArray, old: int, new: int) -> AudioArray:
    cutoff = min(old, new) * _JULIUS_ROLLOFF
    reach, n = math.ceil(_JULIUS_ZEROS * old / cutoff), len(audio) * new // old
    return sinc_direct.resample_directly(
        audio, old, new, cutoff=cutoff, reach=reach, kernel=_julius_kernel, n=n, hold_ends=True, unit_sum=True
    )


_METHODS: dict[Resampler, Callable[[AudioArray, int, int], AudioArray]] = {
    "torchaudio": resample,
    "torchaudio_float32": _torchaudio_float32,
    "kaiser_best": _kaiser_best,
    "resampy": sinc_table.table_resample,
    "soxr_hq": _soxr_hq,
    "julius": _julius,
}
