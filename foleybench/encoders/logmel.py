"""Log-mel spectrogram for spectral distances. No weights.

Layers:
    bands_db: (T, 64) float64: power in 64 mel bands from 50 Hz to 8 kHz every 16 ms, in dB re full scale, never below
        -80 dB.
    profile_db: (64,) float64: power averaged over the clip, per band, in dB, never below -100 dB.

Sources: none; a plain definition (HTK mel scale, Hann window of 64 ms).
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.encoder import ANY, Encode, Encoder, Features, one_by_one
from foleybench.clips import AudioArray
from foleybench.encoders._inputs.spectra import PROFILE_FLOOR_DB, MelGrid, decibels, mel_power

GRID = MelGrid(rate_hz=16000, window=1024, hop=256, n_bands=64, low_hz=50.0, high_hz=8000.0)
FLOOR_DB = -80.0


def _encode_one(audio: AudioArray) -> Features:
    power = mel_power(audio, GRID)
    return {
        "bands_db": decibels(power, FLOOR_DB),
        "profile_db": decibels(power.mean(axis=0), PROFILE_FLOOR_DB),
    }


def _build(device: str) -> Encode:
    return one_by_one(lambda signal: _encode_one(signal.audio))


ENCODER = Encoder(
    version=1,
    rate_hz=GRID.rate_hz,
    layers={"bands_db": (ANY, 64), "profile_db": (64,)},
    licence="MIT",
    source="foleybench",
    build=_build,
)
