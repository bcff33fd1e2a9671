"""KAD (VGGish): kernel distance between VGGish embeddings.

The embeddings are those of ``fad_vggish``, one for each 0.96 s patch. The bandwidth is the median distance between two
reference embeddings.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import kernel_metric

METRIC = kernel_metric(
    encoder="vggish",
    layer="frames",
    title="KAD (VGGish)",
    source='Chung et al., "KAD: No More FAD!", ICML 2025; kadtk@8bda71d kad.py, with the documented bandwidth',
)
