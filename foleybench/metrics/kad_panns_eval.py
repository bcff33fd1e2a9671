"""KAD (PANNs, shipped): ``kad_panns`` as kadtk computes, not documents, it.

The bandwidth is the median distance between two generated embeddings, so every system is measured with a yardstick of
its own, and a system with wider spread with a longer one. For parity only; use ``kad_panns``.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import kernel_metric

METRIC = kernel_metric(
    encoder="panns_32k",
    title="KAD (PANNs, shipped)",
    source="kadtk@8bda71d kad.py as shipped (YoonjinXD/kadtk#9 reports the difference)",
    bandwidth_of="generated",
)
