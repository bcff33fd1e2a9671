"""Bandwidth difference: does the band end where the real sound's ends; tells a sound made at a lower sample rate.

Distance in octaves between the frequencies above which no third of an octave is within 60 dB of the loudest,
averaged over clips. A system at 16 kHz whose reference goes up to 16 kHz is an octave short.

Direction: lower is better. Range 0 to 8.4. Unit: octave. Gain does not change it, as long as the file holds more than
16 bits: in quieter ones the rounding noise comes within 60 dB. Silence counts as the lowest sound. Noise that a system
adds up there counts as band: it says how far, not how well.
Undefined: no clip was scored.
Sources: none; ours.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._families.differences import difference_metric, octaves

METRIC = difference_metric(
    encoder="spectrum",
    layer="edge_hz",
    title="Bandwidth difference",
    unit="octave",
    source="foleybench",
    difference=octaves,
)
