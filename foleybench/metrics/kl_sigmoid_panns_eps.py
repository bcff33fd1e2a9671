"""``KL sigmoid`` (PANNs, 1e-6 added): half of a divergence, as audioldm_eval computes it.

Warning: this is not a Kullback-Leibler divergence, whatever it is called in the tables that quote it. For each class it
keeps ``p log(p / q)`` of the sigmoid posteriors and leaves out ``(1 - p) log((1 - p) / (1 - q))``. So it has no lower
bound: a sound of which the classifier says "everything at once" beats the truth. For parity only; use ``kld_panns``.

Direction: lower is better. Range unbounded. Unit: nat.
No value is right: the truth itself gives about -0.0005, and a saturated classifier less.
Undefined: no clip was scored.
Sources: audioldm_eval@8dc07ee metrics/kl.py (sigmoid).
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._math.divergence import half_bernoulli_epsilon, mean_divergence

METRIC = mean_divergence(
    half_bernoulli_epsilon,
    encoder="panns_16k",
    title="KL sigmoid (PANNs, eps), no KL",
    source="audioldm_eval@8dc07ee metrics/kl.py",
)
