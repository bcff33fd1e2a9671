"""KAD (VGGish): do all generated sounds together look like all real ones, without the Gaussian assumption.

100 times the unbiased squared maximum mean discrepancy, with a Gaussian kernel, between the VGGish embeddings of all
0.96 s patches of all generated and all reference sounds (those of ``fad_vggish``). The bandwidth is the median
distance between two reference embeddings, as the paper says. Of more than 20000 patches, 20000 taken evenly decide
the bandwidth.

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
    encoder="vggish",
    layer="frames",
    title="KAD (VGGish)",
    source="kadtk@8bda71d kad.py, bandwidth of the reference",
)
