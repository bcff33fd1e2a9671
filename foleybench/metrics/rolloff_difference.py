"""Roll-off difference: distance in octaves between the 95 % roll-off frequencies.

95 % of the power, from 50 Hz up, lies below the roll-off. Gain does not change it; that of silence is the lowest
frequency. Most power lies low, so a missing upper band can escape this metric: see ``bandwidth_difference``.
"""

from __future__ import annotations

from foleybench.metrics._families.differences import OCTAVES, difference_metric, octaves

METRIC = difference_metric(
    octaves,
    encoder="spectrum",
    layer="rolloff_hz",
    title="Roll-off difference",
    unit="octave",
    worst=OCTAVES,
    source="foleybench",
)
