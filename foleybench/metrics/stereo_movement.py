"""Stereo movement: correlation of left-right balance over time.

Balance every 50 ms, as in ``stereo_balance_difference``; silent parts are in the middle. Real audio whose balance
varies by less than 0.01 (standard deviation) has no movement to follow and does not apply; generated audio without
any, one channel for one, follows nothing: 0. In recordings of diffuse sound the balance varies by chance, which no
system can follow.
"""

from __future__ import annotations

from foleybench.metrics._families.curves import curve_correlation
from foleybench.metrics._families.stereo import NOTE

METRIC = curve_correlation(
    "Stereo movement",
    "stereo",
    "balance",
    constant=0.01,
    undefined="no clip has two channels of real audio whose balance moves",
    note=NOTE,
)
