"""Loudness difference: of the integrated loudness, ITU-R BS.1770-4.

Absolute difference in LU, which are dB. Unlike ``level_difference`` it weighs frequencies as the ear does and leaves
out pauses. Loudness below -70 LUFS counts as -70 LUFS. Audio that a system normalises to a
fixed loudness is measured as delivered.
"""

from __future__ import annotations

from foleybench.metrics._families.differences import apart, difference_metric

METRIC = difference_metric(
    apart,
    encoder="loudness",
    layer="integrated_lufs",
    title="Loudness difference",
    unit="dB",
    source="Recommendation ITU-R BS.1770-4; the comparison is ours",
)
