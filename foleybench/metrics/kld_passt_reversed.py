"""KLD (PaSST, reversed): KL(generated || reference), as stable-audio-metrics computes it.

Sum of ``p log(p / (q + 1e-6))`` with p the posterior of the generated sound and q that of the reference: the other
direction than everybody else's KLD, punishing what the reference has not rather than what the generated sound lacks.
Logits are averaged over windows of 10 s every 5 s before the softmax. For parity only; use ``kld_passt``.

Direction: lower is better. Range about 0 to 13.8. Unit: nat.
The truth itself gives about -0.0005: the posterior with 1e-6 added does not sum to 1.
Undefined: no clip was scored.
Sources: stable-audio-metrics@fd55536 src/passt_kld.py (ref in the logarithm, eval as the target).
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._math.divergence import kl_divergence_epsilon_reversed, mean_divergence

METRIC = mean_divergence(
    kl_divergence_epsilon_reversed,
    encoder="passt_windows",
    title="KLD (PaSST, reversed)",
    source="stable-audio-metrics@fd55536 src/passt_kld.py",
)
