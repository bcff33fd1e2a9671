"""Spectral centroid difference: distance in octaves, is the audio as bright.

The centroid is the clip's mean frequency, weighted with power, from 50 Hz up. Gain does not change it; that of silence
is the lowest frequency.
"""

from __future__ import annotations

from foleybench.metrics._families.differences import OCTAVES, difference_metric, octaves

METRIC = difference_metric(
    octaves,
    encoder="spectrum",
    layer="centroid_hz",
    title="Spectral centroid difference",
    unit="octave",
    worst=OCTAVES,
    source="foleybench",
)
