"""Spectral centroid difference: is the sound as bright as the real one.

Distance in octaves between the two sounds' mean frequencies (weighted with power, from 50 Hz up, averaged over the
clip), averaged over clips.

Direction: lower is better. Range 0 to 8.4. Unit: octave. Gain does not change it. Silence counts
as the lowest sound.
Undefined: no clip was scored.
Sources: none; ours.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._families.differences import difference_metric, octaves

METRIC = difference_metric(
    encoder="spectrum",
    layer="centroid_hz",
    title="Spectral centroid difference",
    unit="octave",
    source="foleybench",
    difference=octaves,
)
