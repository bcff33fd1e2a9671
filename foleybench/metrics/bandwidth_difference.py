"""Bandwidth difference: distance in octaves between the ends of the band.

The end is the frequency above which no third of an octave is within 60 dB of the loudest, so the value shows audio that
was made at a lower sample rate: a system at 16 kHz whose reference goes up to 16 kHz is an octave short.

Gain does not change the value. Noise that a system adds at the top counts as band: the value says how far the band
goes, not how good it is.

Changes: 2 sees no band in the rounding of 16-bit files, and none in silence.
"""

from __future__ import annotations

from foleybench.metrics._families.differences import octave_metric

METRIC = octave_metric("edge_hz", "Bandwidth difference")
