"""Roll-off difference: distance in octaves between the 95 % roll-off frequencies.

95 % of the power, from 50 Hz up, lies below the roll-off. Gain does not change it. Most power lies low, so a missing
upper band can escape this metric: see ``bandwidth_difference``.

Changes: 2 counts no rounding of 16-bit files; silence has no roll-off.
"""

from __future__ import annotations

from foleybench.metrics._families.differences import octave_metric

METRIC = octave_metric("rolloff_hz", "Roll-off difference")
