"""Level difference: between the RMS levels of the whole clip.

Levels below -80 dB count as -80 dB.
"""

from __future__ import annotations

from foleybench.metrics._families.differences import apart, difference_metric

METRIC = difference_metric(
    apart,
    encoder="envelope",
    layer="mean_db",
    title="Level difference",
    unit="dB",
    source="foleybench",
    statistic="difference_db",
)
