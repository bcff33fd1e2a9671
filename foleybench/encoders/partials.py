"""The strongest partials over time. No weights.

Layers:
    partials: (T, 8, 2) float32: of the 128 ms from every 10 ms on, the frequency in Hz and the level in dB of the eight
        strongest peaks of the spectrum, the strongest first. Places without a peak hold 0 Hz and -120 dB.

Hann window of 2048 samples at 16 kHz, transformed at 8192 points; a peak lies between 80 and 7500 Hz, at least 16 Hz
from every stronger one, above -100 dB re a full-scale sine, and is placed by the parabola through its three points in
dB, which finds the frequency of a lone sine to a fraction of a hertz.

Sources: Smith and Serra, "PARSHL", ICMC 1987 (parabolic interpolation of spectral peaks); the rest is ours.
"""

from __future__ import annotations

import numpy as np
from scipy.signal.windows import hann

from foleybench.api.encoder import ANY, Encode, Encoder, one_by_one
from foleybench.clips import AudioArray, FloatArray
from foleybench.encoders._inputs.spectra import without_dc

RATE_HZ = 16000
HOP, WINDOW, POINTS = 160, 2048, 8192
N_PARTIALS = 8
LOWEST_HZ, HIGHEST_HZ, APART_HZ = 80.0, 7500.0, 16.0
FLOOR_DB, ABSENT_DB = -100.0, -120.0
_BIN_HZ = RATE_HZ / POINTS
_BLOCK = 64


def partials(audio: AudioArray) -> AudioArray:
    """Return the strongest partials of a sound.

    Args:
        audio: Shape (N,) at 16 kHz.

    Returns:
        Shape (ceil(N / 160), 8, 2), at least one frame: Hz and dB re a full-scale sine.

    Raises:
        FoleyError: The audio holds a sample that is not finite.
    """
    sound = without_dc(audio)
    n_frames = max(1, -(-len(sound) // HOP))
    sound = np.pad(sound, (0, (n_frames - 1) * HOP + WINDOW - len(sound)))
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    taper = hann(WINDOW, sym=False)
    taper *= 2.0 / taper.sum()
    found = np.zeros((n_frames, N_PARTIALS, 2), dtype=np.float32)
    found[:, :, 1] = ABSENT_DB
    for start in range(0, n_frames, _BLOCK):
        spectra = np.abs(np.fft.rfft(frames[start : start + _BLOCK] * taper, POINTS, axis=1))
        for number, levels in enumerate(20.0 * np.log10(np.maximum(spectra, 1e-12)), start):
            strongest = _strongest(levels)
            found[number, : len(strongest)] = strongest
    return found


def _strongest(levels_db: FloatArray) -> FloatArray:
    """Return frequency and level of the strongest peaks of one spectrum, shape (at most 8, 2)."""
    inner = levels_db[1:-1]
    peaks = np.flatnonzero((inner > levels_db[:-2]) & (inner >= levels_db[2:]) & (inner > FLOOR_DB)) + 1
    peaks = peaks[(peaks * _BIN_HZ >= LOWEST_HZ) & (peaks * _BIN_HZ <= HIGHEST_HZ)]
    kept: list[int] = []
    for place in peaks[np.argsort(-levels_db[peaks], kind="stable")].tolist():  # Python's own numbers are quicker
        if all(abs(place - other) * _BIN_HZ >= APART_HZ for other in kept):
            kept.append(place)
        if len(kept) == N_PARTIALS:
            break
    at = np.asarray(kept, dtype=np.int64)
    before, here, after = levels_db[at - 1], levels_db[at], levels_db[at + 1]
    bend = before - 2.0 * here + after
    shift = 0.5 * (before - after) / np.where(bend == 0.0, 1.0, bend)
    return np.stack([(at + shift) * _BIN_HZ, here], axis=1)


def _build(device: str) -> Encode:
    return one_by_one(lambda signal: {"partials": partials(signal.audio)})


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"partials": (ANY, N_PARTIALS, 2)},
    licence="MIT",
    source="foleybench; peaks after Smith and Serra, ICMC 1987",
    build=_build,
)
