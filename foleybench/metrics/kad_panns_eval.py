"""KAD (PANNs, shipped): ``kad_panns`` as kadtk computes, not documents, it.

The bandwidth is the median distance between two generated embeddings, so every system has a scale of its own, and a
system with a wider spread a larger one. For parity only; use ``kad_panns``.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import kernel_metric

METRIC = kernel_metric(
    encoder="panns_32k",
    title="KAD (PANNs, shipped)",
    source="kadtk@8bda71d kad.py as shipped (YoonjinXD/kadtk#9 reports the difference)",
    bandwidth_of="generated",
)
