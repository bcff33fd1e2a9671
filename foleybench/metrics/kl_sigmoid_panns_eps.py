"""KL sigmoid (PANNs, eps): half of a divergence, audioldm_eval's way."""

from __future__ import annotations

from foleybench.metrics._families.divergence import kl_sigmoid_metric

METRIC = kl_sigmoid_metric(
    encoder="panns_16k",
    title="KL sigmoid (PANNs, eps), no KL",
    source="audioldm_eval@8dc07ee metrics/kl.py (sigmoid)",
    epsilon=True,
)
