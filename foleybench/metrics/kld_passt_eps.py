"""KLD (PaSST, 1e-6 added): ``kld_passt`` as audioldm_eval's PaSST branch computes it.

Sum of ``p log(p / (q + 1e-6))``, p the reference's softmax posterior and q the generated sound's, averaged over
clips. The 1e-6 bounds a clip near 13.8, so that the worst clips weigh less than in ``kld_passt``: on peaked
posteriors the mean is lower by 5 % and more for the same sound. For parity only; use ``kld_passt``.

Direction: lower is better. Range about 0 to 13.8. Unit: nat.
The truth itself gives about -0.0005: the posterior with 1e-6 added does not sum to 1.
Undefined: no clip was scored.
Sources: audioldm_eval@a2fde54 (branch passt_replace_panns) metrics/kl.py; the formula is also SpecVQGAN@33c601d's
evaluation/metrics/kl.py.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._math.divergence import kl_divergence_epsilon, mean_divergence

METRIC = mean_divergence(
    kl_divergence_epsilon,
    encoder="passt",
    title="KLD (PaSST, eps)",
    source="audioldm_eval@a2fde54 metrics/kl.py",
)
