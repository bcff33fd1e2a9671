"""KLD (PANNs, 1e-6 added): ``kld_panns`` as audioldm_eval computes it with Cnn14.

Sum of ``p log(p / (q + 1e-6))``, p the reference's softmax posterior and q the generated sound's, averaged over
clips. audioldm_eval's default backbone since 2024 is not Cnn14 but MERT, whose hidden states it passes through a
softmax as if they were logits: values far below 1 in papers come from that, and no preset here reproduces them.

Direction: lower is better. Range about 0 to 13.8. Unit: nat.
The truth itself gives about -0.0005: the posterior with 1e-6 added does not sum to 1.
Undefined: no clip was scored.
Sources: audioldm_eval@8dc07ee metrics/kl.py (softmax), eval.py with ``backbone="cnn14"``.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._math.divergence import kl_divergence_epsilon, mean_divergence

METRIC = mean_divergence(
    kl_divergence_epsilon,
    encoder="panns_16k",
    title="KLD (PANNs, eps)",
    source="audioldm_eval@8dc07ee metrics/kl.py",
)
