"""Spectral centroid difference: distance in octaves between the mean frequencies.

The centroid is the clip's mean frequency, weighted with power, from 50 Hz up. Gain does not change it.

Changes: 2 leaves the rounding of 16-bit files out; silence has no centroid.
"""

from __future__ import annotations

from foleybench.metrics._families.differences import octave_metric

METRIC = octave_metric("centroid_hz", "Spectral centroid difference")
