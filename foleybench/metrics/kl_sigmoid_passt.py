"""KL sigmoid (PaSST): half of a divergence, as av-benchmark has it."""

from __future__ import annotations

from foleybench.metrics._families.divergence import kl_sigmoid_metric

METRIC = kl_sigmoid_metric(
    encoder="passt",
    title="KL sigmoid (PaSST), no KL",
    source="av-benchmark@050a5cd metrics/kl.py (kl_sigmoid)",
)
