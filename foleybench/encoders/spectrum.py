"""Centroid, roll-off and upper edge of the spectrum. No weights.

Layers:
    centroid_hz: () float64: mean frequency, weighted with power.
    rolloff_hz: () float64: the lowest frequency below which 95 % of the power lies.
    edge_hz: () float64: where the band ends: the highest frequency of which the third of an octave from it upwards
        holds a power within 60 dB of the largest such third.

Power spectrum at 48 kHz (Hann window of 2048 samples, half overlapping), averaged over whole windows, from 50 Hz up, in
steps of 23.4 Hz. Of each step -110 dB re full scale is taken off (-120 dB for the edge, which faint sound decides), so
that what is fainter is empty: the rounding of a 16-bit file lies at -131 dB a step, and near it the file is measured,
not the sound. A sound of which nothing is left is silent, and has 0 Hz in all three. The edge shows a sound that was
made at a lower rate, which hardly moves the others: most power of most sounds is far below it.

Changes: 2 takes these levels off every step. Version 1 counted all that is there, and put -100 dB into the lowest step:
of a nearly silent sound it measured the rounding.

Sources: none for the edge; centroid and roll-off as in Peeters, "A large set of audio features for sound description",
IRCAM 2004.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.encoder import Encode, Encoder, Features, one_by_one
from foleybench.clips import AudioArray, FloatArray
from foleybench.encoders._inputs.spectra import without_dc

RATE_HZ = 48000
WINDOW, HOP = 2048, 1024
LOWEST_HZ = 50.0
EMPTY, EDGE_EMPTY = 1e-11, 1e-12
ROLLOFF = 0.95
EDGE = 1e-6
_BLOCK = 512


def mean_power(audio: AudioArray) -> tuple[FloatArray, FloatArray]:
    """Return frequencies in Hz and the mean power at each, both of shape (n,).

    Args:
        audio: Shape (N,) at 48 kHz; one shorter than a window is filled with zeros.

    Raises:
        FoleyError: The audio holds a sample that is not finite.
    """
    sound = without_dc(audio)
    sound = np.pad(sound, (0, max(0, WINDOW - len(sound))))
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    taper = np.hanning(WINDOW + 1)[:-1]
    taper = taper * (np.sqrt(2.0) / taper.sum())
    total = np.zeros(WINDOW // 2 + 1)
    for start in range(0, len(frames), _BLOCK):
        spectrum = np.fft.rfft(frames[start : start + _BLOCK] * taper, axis=1)
        total += (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
    hz = np.arange(len(total), dtype=np.float64) * (RATE_HZ / WINDOW)
    audible = hz >= LOWEST_HZ
    return hz[audible], np.asarray(total[audible] / len(frames), dtype=np.float64)


def spectrum_features(hz: FloatArray, power: FloatArray) -> Features:
    """Return the layers of a power spectrum, given its frequencies, increasing, both of shape (n,); 0 Hz of silence."""
    faint, power = np.maximum(0.0, power - EDGE_EMPTY), np.maximum(0.0, power - EMPTY)
    if not power.any():
        return dict.fromkeys(("centroid_hz", "rolloff_hz", "edge_hz"), np.zeros(()))
    below, up_to = np.cumsum(power), np.cumsum(faint)
    third = up_to[np.searchsorted(hz, hz * 2 ** (1 / 3), side="right") - 1] - up_to + faint
    return {
        "centroid_hz": np.asarray(hz @ power / below[-1]),
        "rolloff_hz": np.asarray(hz[np.searchsorted(below, ROLLOFF * below[-1])]),
        "edge_hz": np.asarray(hz[np.flatnonzero(third >= EDGE * third.max())[-1]]),
    }


def _build(device: str) -> Encode:
    return one_by_one(lambda signal: spectrum_features(*mean_power(signal.audio)))


ENCODER = Encoder(
    version=2,
    rate_hz=RATE_HZ,
    layers={"centroid_hz": (), "rolloff_hz": (), "edge_hz": ()},
    licence="MIT",
    source="foleybench",
    build=_build,
)
