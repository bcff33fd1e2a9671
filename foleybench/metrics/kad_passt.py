"""KAD (PaSST): do all generated sounds together look like all real ones, without the Gaussian assumption.

100 times the unbiased squared maximum mean discrepancy, with a Gaussian kernel, between PaSST's 768 values of all
generated and all reference sounds. The bandwidth is the median distance between two reference
embeddings, as the paper says. ``fd_passt`` looks at means and covariances only and needs far more clips.

Direction: lower is better. Range about 0 upwards. Unit: 1. Unbiased for independent sets: samples of one distribution
give values on both sides of 0, and the truth against itself a little less than 0. The corrected value leaves out the
pairs of one clip's own two sounds, which are not independent: the truth against itself then gives 0.
Undefined: fewer than two clips, or all embeddings equal.
Sources: Chung et al., "KAD: No More FAD!", ICML 2025; kadtk@8bda71d kadtk/kad.py, with the documented bandwidth.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._math.kernel import kernel_metric

METRIC = kernel_metric(
    encoder="passt",
    layer="embedding",
    title="KAD (PaSST)",
    source="kadtk@8bda71d kad.py, bandwidth of the reference",
)
