"""KAD (PANNs, bandwidth as shipped): ``kad_panns`` as kadtk computes it, not as it documents it.

The bandwidth is the median distance between two generated embeddings, so every system is measured with a yardstick of
its own, and a system with wider spread is measured with a longer one. For parity only; use ``kad_panns``.

Direction: lower is better. Range about 0 upwards. Unit: 1. Unbiased for independent sets: samples of one distribution
give values on both sides of 0, and the truth against itself a little less than 0. The corrected value leaves out the
pairs of one clip's own two sounds, which are not independent: the truth against itself then gives 0.
Undefined: fewer than two clips, or all embeddings equal.
Sources: kadtk@8bda71d kadtk/kad.py (YoonjinXD/kadtk#9 reports the difference).
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._math.kernel import kernel_metric

METRIC = kernel_metric(
    encoder="panns_32k",
    layer="embedding",
    title="KAD (PANNs, shipped)",
    source="kadtk@8bda71d kad.py as shipped",
    bandwidth_of="generated",
)
