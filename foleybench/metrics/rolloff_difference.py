"""Roll-off difference: does the sound reach as high as the real one, by its power.

Distance in octaves between the frequencies below which 95 % of the power of the two sounds lies (from 50 Hz up),
averaged over clips.

Direction: lower is better. Range 0 to 8.4. Unit: octave. Gain does not change it. Silence counts
as the lowest sound. Most power lies low, so a missing upper band can escape it: see the bandwidth difference.
Undefined: no clip was scored.
Sources: none; ours.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._families.differences import difference_metric, octaves

METRIC = difference_metric(
    encoder="spectrum",
    layer="rolloff_hz",
    title="Roll-off difference",
    unit="octave",
    source="foleybench",
    difference=octaves,
)
