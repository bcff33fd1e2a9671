"""Level correlation: Pearson correlation of the loudness curves.

The curves are RMS levels in dB every 10 ms; gain does not change the value above the floor of -80 dB. Generated audio
whose level never changes, silence for one, follows nothing: 0. A reference whose level never changes gives nothing to
follow and does not apply.

A stretch in which both are silent raises it: on four seconds of steady real sound, the 17 ms of padding that a codec
left at the end of both files took it from 0.01 to 0.75. `prepare` cuts clips; two folders scored as they are keep it.
"""

from __future__ import annotations

from foleybench.metrics._families.curves import curve_correlation

METRIC = curve_correlation(
    "Level correlation",
    "envelope",
    "level_db",
    constant=1e-6,
    undefined="no reference audio changes its level",
)
