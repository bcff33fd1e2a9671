"""The onset detector of video-to-audio papers, librosa's. No weights.

Layers:
    times_s: (n,) float64, increasing: seconds from the start of the clip, multiples of 512 / 22050 s.
    level: (n,) float64: |audio| at the onset's sample, scaled so that the clip's |audio| goes from 0 to 1.
    peak: (n,) float64: its maximum within 50 ms of the onset.
    wave: (n,) float64: the audio itself at the onset's sample, scaled so that the clip's lowest sample is 0 and its
        highest 1, as MMAudio's script does.
    wave_peak: (n,) float64: its maximum within 50 ms of the onset.

librosa's ``onset_detect`` with ``delta=0.3``. 22050 Hz: mean rise of 128 mel bands in dB from frame to frame (2048
samples, 512 apart), scaled to 0..1, peaks at least 0.3 above the mean of their surroundings (100 ms); none is found in
the first 70 ms. silent audio has no onsets. Where the 50 ms reach over an end, the part inside counts (the
peers fail there).

Sources: librosa 0.11 onset.onset_detect, onset.onset_strength and util.peak_pick; the values at the onsets:
CondFoleyGen@c565db7 predict_onset.py, MMAudio@974010a eval_onsets.py.
"""

from __future__ import annotations

import functools

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder, Features, one_by_one
from foleybench.clips import AudioArray, FloatArray, IntArray
from foleybench.encoders._inputs.slaney import slaney_filters
from foleybench.media.audio import require_finite

RATE_HZ = 22050
N_FFT, HOP, N_BANDS = 2048, 512, 128
DELTA = 0.3
# 30 ms and 100 ms in frames, as librosa rounds them for this rate and hop.
_BEFORE, _AROUND, _WAIT = 1, 4, 1
_REACH = int(0.05 * RATE_HZ)
_RANGE_DB, _LEAST_POWER = 80.0, 1e-10


def onset_strength(audio: AudioArray) -> FloatArray:
    """Return the mean rise of the mel bands in dB.

    Args:
        audio: Shape (N,) at 22050 Hz.

    Returns:
        Shape (1 + N // 512,); the rise seen by a window counts where the window is centred.
    """
    padded = np.pad(audio.astype(np.float64), N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    power = np.abs(np.fft.rfft(frames * _taper(), axis=1)) ** 2 @ _bands().T
    levels = 10.0 * np.log10(np.maximum(power, _LEAST_POWER))
    levels = np.maximum(levels, levels.max() - _RANGE_DB)
    rise = np.maximum(np.diff(levels, axis=0), 0.0).mean(axis=1)
    shifted = np.concatenate([np.zeros(1 + N_FFT // (2 * HOP)), rise])
    return np.asarray(shifted[: len(levels)], dtype=np.float64)


def detect_as_librosa(audio: AudioArray) -> IntArray:
    """Return the onsets of audio (N,) at 22050 Hz as sample positions, increasing."""
    require_finite(audio)
    if not len(audio):
        return np.zeros(0, dtype=np.int64)
    strength = onset_strength(audio)
    strength = strength - strength.min()
    if not strength.max():
        return np.zeros(0, dtype=np.int64)
    return HOP * _peaks(strength / strength.max())


def _peaks(strength: FloatArray) -> IntArray:
    """Frames that are the largest since 30 ms and stand out by ``DELTA`` from 100 ms on either side."""
    found = []
    frame = 0
    while frame < len(strength):
        value = strength[frame]
        stands_out = value >= strength[max(0, frame - _AROUND) : frame + _AROUND + 1].mean() + DELTA
        if stands_out and value == strength[max(0, frame - _BEFORE) : frame + 1].max():
            found.append(frame)
            frame += _WAIT
        frame += 1
    return np.asarray(found, dtype=np.int64)


def _scaled(values: FloatArray) -> FloatArray:
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def _around(values: FloatArray, samples: IntArray) -> FloatArray:
    peaks = [values[max(0, sample - _REACH) : sample + _REACH].max() for sample in samples]
    return np.asarray(peaks, dtype=np.float64)


def _encode_one(audio: AudioArray) -> Features:
    samples = detect_as_librosa(audio)
    if not len(samples):
        return dict.fromkeys(("times_s", "level", "peak", "wave", "wave_peak"), np.zeros(0))
    inside = np.minimum(samples, len(audio) - 1)
    level, wave = _scaled(np.abs(audio.astype(np.float64))), _scaled(audio.astype(np.float64))
    return {
        "times_s": samples / RATE_HZ,
        "level": level[inside],
        "peak": _around(level, inside),
        "wave": wave[inside],
        "wave_peak": _around(wave, inside),
    }


@functools.cache
def _taper() -> FloatArray:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi / N_FFT * np.arange(N_FFT)), dtype=np.float64)


@functools.cache
def _bands() -> FloatArray:
    return slaney_filters(RATE_HZ, N_FFT, N_BANDS, 0.0, RATE_HZ / 2).astype(np.float64)


def _build(device: str) -> Encode:
    return one_by_one(lambda signal: _encode_one(signal.audio))


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"times_s": (ANY,), "level": (ANY,), "peak": (ANY,), "wave": (ANY,), "wave_peak": (ANY,)},
    licence="MIT",
    source="librosa 0.11 onset.onset_detect, delta 0.3",
    build=_build,
)
