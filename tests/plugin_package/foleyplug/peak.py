"""Largest sample of a sound.

Layers:
    peak: () float64: largest absolute sample.
"""

from foleybench.api.encoder import Encoder, one_by_one
from foleyplug._level import peak

ENCODER = Encoder(
    version=1,
    rate_hz=8000,
    layers={"peak": ()},
    licence="MIT",
    source="foleyplug",
    build=lambda device: one_by_one(lambda signal: {"peak": peak(signal.audio)}),
)
