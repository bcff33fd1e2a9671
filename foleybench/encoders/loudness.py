"""Integrated loudness by ITU-R BS.1770-4. No weights.

Layers:
    integrated_lufs: () float64: loudness of the whole clip in LUFS, never below -70 (the standard's absolute gate).

48 kHz, for which the standard gives its two filters; blocks of 400 ms every 100 ms, those below -70 LUFS left out, then
those more than 10 LU below the mean of the rest. A mono sound counts as one front channel: a full-scale sine of 997 Hz
has -3.01 LUFS. Decided here: a clip shorter than 400 ms is one block; one with no block above the gate has -70 LUFS.

Sources: Recommendation ITU-R BS.1770-4 (10/2015), Annex 1, tables 1 and 2.
Changes: 1 first version.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.encoder import Encode, Encoder, one_by_one
from foleybench.clips import AudioArray, FloatArray
from foleybench.encoders._inputs.spectra import require_finite

RATE_HZ = 48000
BLOCK, STEP = RATE_HZ * 4 // 10, RATE_HZ // 10
GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
_OFFSET_LU = -0.691

# Numerator and denominator: the head's high shelf, then the high pass.
SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)
HIGH_PASS = (1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)


def integrated_lufs(audio: AudioArray) -> float:
    """Return the gated loudness of a mono sound.

    Args:
        audio: Shape (N,) at 48 kHz.

    Returns:
        LUFS, at least -70.

    Raises:
        FoleyError: The sound holds a sample that is not finite.

    Example:
        >>> sine = np.sin(2 * np.pi * 997 * np.arange(48000) / 48000)
        >>> round(integrated_lufs(sine.astype(np.float32)), 2)
        -3.01
    """
    power = _block_power(audio)
    loud = power[_lufs(power) > GATE_LUFS]
    if not len(loud):
        return GATE_LUFS
    # Never empty: the loudest block is not below the mean.
    kept = loud[_lufs(loud) > _lufs(loud.mean()) + RELATIVE_GATE_LU]
    return float(_lufs(kept.mean()))


def _block_power(audio: AudioArray) -> FloatArray:
    """Mean square of the weighted sound in each whole block; of a shorter sound, in all of it."""
    from scipy.signal import lfilter

    require_finite(audio)
    if not len(audio):
        return np.zeros(1)
    shelved = lfilter(*SHELF, audio.astype(np.float64))
    weighted = np.asarray(lfilter(*HIGH_PASS, shelved), dtype=np.float64)
    block = min(BLOCK, len(audio))
    total = np.concatenate([[0.0], np.cumsum(weighted**2)])
    first = np.arange(0, len(audio) - block + 1, STEP)
    return np.asarray(np.maximum(total[first + block] - total[first], 0.0) / block, dtype=np.float64)


def _lufs(power: FloatArray | np.float64) -> FloatArray:
    return np.asarray(_OFFSET_LU + 10.0 * np.log10(np.maximum(power, 1e-30)), dtype=np.float64)


def _build(device: str) -> Encode:
    return one_by_one(lambda signal: {"integrated_lufs": np.asarray(integrated_lufs(signal.audio))})


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"integrated_lufs": ()},
    licence="MIT",
    source="ITU-R BS.1770-4",
    build=_build,
)
