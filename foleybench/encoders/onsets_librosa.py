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

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder, Features, one_by_one
from foleybench.clips import AudioArray, FloatArray, IntArray
from foleybench.encoders._inputs.librosa_onsets import RATE_HZ, detect_as_librosa

DELTA = 0.3
_REACH = int(0.05 * RATE_HZ)


def _scaled(values: FloatArray) -> FloatArray:
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def _around(values: FloatArray, samples: IntArray) -> FloatArray:
    peaks = [values[max(0, sample - _REACH) : sample + _REACH].max() for sample in samples]
    return np.asarray(peaks, dtype=np.float64)


def _encode_one(audio: AudioArray) -> Features:
    samples = detect_as_librosa(audio, DELTA)
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
