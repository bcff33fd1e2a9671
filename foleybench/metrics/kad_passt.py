"""KAD (PaSST): kernel distance between embeddings of PaSST.

PaSST gives 768 values. The median distance between two reference embeddings is the bandwidth. ``fd_passt`` compares
means and covariances of the same embeddings only and needs far more clips.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import kernel_metric

METRIC = kernel_metric(
    encoder="passt",
    title="KAD (PaSST)",
    source='Chung et al., "KAD: No More FAD!", ICML 2025; kadtk@8bda71d kad.py, with the documented bandwidth',
)
