"""Resample with torchaudio's windowed sinc, without torchaudio.

torchaudio 2.11 is the last release and is built for torch 2.11 alone, and resampling is all that most scoring needs of
it. The filters here are the same to the bit, so features, results and cached files do not depend on which of the two
made them; a test holds this against the installed torchaudio.

Sources: J. O. Smith, Digital Audio Resampling (2002); torchaudio 2.11 functional.resample.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from foleybench.clips import AudioArray, FloatArray
from foleybench.media import sinc_direct

if TYPE_CHECKING:
    from torch import Tensor


class Filter(NamedTuple):
    """A low-pass filter.

    Attributes:
        zeros: Zero crossings of the sinc on either side.
        rolloff: Cut-off as a share of the lower Nyquist frequency.
        window: Hann, or Kaiser of ``beta``.
        beta: Shape of the Kaiser window.
        float32: Whether the filter is computed in float32, as by torchaudio's ``functional.resample`` of float32 audio;
            its ``transforms.Resample`` computes it in float64. White noise comes out 1e-5 of its level apart (from 44.1
            to 16 kHz) to 6e-5 (from 22.05 to 32 kHz).
    """

    zeros: int = 6
    rolloff: float = 0.99
    window: Literal["hann", "kaiser"] = "hann"
    beta: float = 0.0
    float32: bool = False


HANN = Filter()
HANN_FLOAT32 = Filter(float32=True)


def sinc_resample(audio: AudioArray, from_hz: int, to_hz: int, low_pass: Filter = HANN) -> AudioArray:
    """Resample by one filter per output phase; outside the audio there is silence.

    Rates whose table of filters would be too large are resampled without a table, equal to 1e-6 of full scale.

    Args:
        audio: Shape (N,) float32.
        from_hz: Rate of ``audio``.
        to_hz: Wanted rate.
        low_pass: The filter.

    Returns:
        ``ceil(N * to_hz / from_hz)`` samples, float32.
    """
    common = math.gcd(from_hz, to_hz)
    old, new = from_hz // common, to_hz // common
    if old * new > sinc_direct.MAX_TABLE:
        return _without_table(audio, old, new, low_pass)
    import torch  # late, so that processes which never resample start without it

    filters, reach = _filters(old, new, low_pass)
    with torch.inference_mode():
        padded = torch.nn.functional.pad(torch.from_numpy(np.ascontiguousarray(audio))[None], (reach, reach + old))
        phases = torch.nn.functional.conv1d(padded[:, None], filters, stride=old)
        found: AudioArray = phases[0].T.reshape(-1).numpy()[: math.ceil(new * len(audio) / old)]
    return np.ascontiguousarray(found)


def _without_table(audio: AudioArray, old: int, new: int, low_pass: Filter) -> AudioArray:
    zeros, cutoff = low_pass.zeros, min(old, new) * low_pass.rolloff

    def kernel(crossings: FloatArray) -> FloatArray:
        inside = np.clip(crossings, -zeros, zeros)
        if low_pass.window == "hann":
            window = np.cos(inside * math.pi / zeros / 2) ** 2
        else:
            window = np.i0(low_pass.beta * np.sqrt(1 - (inside / zeros) ** 2)) / np.i0(low_pass.beta)
        return np.asarray(np.sinc(inside) * window, dtype=np.float64)

    rounding: sinc_direct.Rounding = "distances" if low_pass.float32 else "phases"
    reach, n = math.ceil(zeros * old / cutoff), math.ceil(new * len(audio) / old)
    return sinc_direct.resample_directly(
        audio, old, new, cutoff=cutoff, reach=reach, kernel=kernel, n=n, rounding=rounding
    )


@functools.lru_cache(maxsize=32)
def _filters(old: int, new: int, low_pass: Filter) -> tuple[Tensor, int]:
    """Return the filters, shape (new, 1, taps), and how many samples they reach back."""
    import torch

    zeros, cutoff = low_pass.zeros, min(old, new) * low_pass.rolloff
    reach = math.ceil(zeros * old / cutoff)
    dtype = torch.float32 if low_pass.float32 else torch.float64
    taps = torch.arange(-reach, reach + old, dtype=dtype)[None, None] / old
    # The phases are float32 in either case, as in torchaudio: in float64 the last bits of the filters would differ.
    phases = torch.arange(0, -new, -1)[:, None, None] / new
    crossings = ((phases + taps) * cutoff).clamp(-zeros, zeros)
    if low_pass.window == "hann":
        window = torch.cos(crossings * math.pi / zeros / 2) ** 2
    else:
        beta = torch.tensor(low_pass.beta)
        window = torch.i0(beta * torch.sqrt(1 - (crossings / zeros) ** 2)) / torch.i0(beta)
    angle = crossings * math.pi
    sinc = torch.where(angle == 0, torch.ones_like(angle), angle.sin() / angle)
    return (sinc * (window * (cutoff / old))).to(torch.float32), reach
