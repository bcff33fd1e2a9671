"""KAD (PANNs): kernel distance between embeddings of PANNs Cnn14.

Cnn14 at 32 kHz gives 2048 values. The bandwidth is the median distance between two reference embeddings, as kadtk's
paper says. kadtk's default net is a wider one of the same family: its published values do not compare.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import kernel_metric

METRIC = kernel_metric(
    encoder="panns_32k",
    title="KAD (PANNs)",
    source='Chung et al., "KAD: No More FAD!", ICML 2025; kadtk@8bda71d kad.py, with the documented bandwidth',
)
