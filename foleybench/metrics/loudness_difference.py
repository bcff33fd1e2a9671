"""Loudness difference: is the sound as loud as the real one, to the ear.

Absolute difference of the integrated loudness (ITU-R BS.1770-4) of the two sounds in LU, which are dB, averaged over
clips. Beside the level difference it hears as the ear does: rumble counts less, pauses do not count.

Direction: lower is better. Range 0 upwards. Unit: dB. Loudness below -70 LUFS counts as -70 LUFS.
A system whose sound is normalised to a fixed loudness is measured as it comes.
Undefined: no clip was scored.
Sources: Recommendation ITU-R BS.1770-4; the comparison is ours.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._families.differences import apart, difference_metric

METRIC = difference_metric(
    encoder="loudness",
    layer="integrated_lufs",
    title="Loudness difference",
    unit="dB",
    source="ITU-R BS.1770-4",
    difference=apart,
)
