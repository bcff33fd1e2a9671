"""KLD (PANNs, 1e-6 added): ``kld_panns`` as audioldm_eval computes it with Cnn14.

audioldm_eval's default backbone since 2024 is not Cnn14 but MERT, whose hidden states it passes through a softmax as if
they were logits: values far below 1 in papers come from that, and no preset here reproduces them.
"""

from __future__ import annotations

from foleybench.metrics._families.divergence import kl_epsilon_metric

METRIC = kl_epsilon_metric(
    encoder="panns_16k",
    title="KLD (PANNs, eps)",
    source='audioldm_eval@8dc07ee metrics/kl.py (softmax), eval.py with ``backbone="cnn14"``',
)
