"""KLD (PaSST, reversed): KL(generated || reference), as stable-audio-metrics computes it.

Here p is the posterior of the generated audio and q that of the reference: the other direction than in every other
KLD. The value punishes events that the reference lacks rather than events that the generated audio lacks. Logits are
averaged over windows of 10 s every 5 s before the softmax.
"""

from __future__ import annotations

from foleybench.metrics._families.divergence import kl_epsilon_metric
from foleybench.metrics._math.divergence import kl_divergence_epsilon_reversed

METRIC = kl_epsilon_metric(
    encoder="passt_windows",
    title="KLD (PaSST, reversed)",
    source="stable-audio-metrics@fd55536 src/passt_kld.py (ref in the logarithm, eval as the target)",
    divergence=kl_divergence_epsilon_reversed,
)
