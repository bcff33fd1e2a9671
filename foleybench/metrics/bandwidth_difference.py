"""Bandwidth difference: distance in octaves between the ends of the band.

The end is the frequency above which no third of an octave is within 60 dB of the loudest, so the value shows audio that
was made at a lower sample rate: a system at 16 kHz whose reference goes up to 16 kHz is an octave short.

Gain does not change the value, as long as the file holds more than 16 bits: in quieter files the rounding noise comes
within 60 dB. Silence counts as the lowest frequency. Noise that a system adds at the top counts as band: the value says
how far the band goes, not how good it is.
"""

from __future__ import annotations

from foleybench.metrics._families.differences import OCTAVES, difference_metric, octaves

METRIC = difference_metric(
    octaves,
    encoder="spectrum",
    layer="edge_hz",
    title="Bandwidth difference",
    unit="octave",
    worst=OCTAVES,
    source="foleybench",
)
