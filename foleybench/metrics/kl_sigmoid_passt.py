"""``KL sigmoid`` (PaSST): half of a divergence, as av-benchmark computes it.

Warning: this is not a Kullback-Leibler divergence, whatever it is called in the tables that quote it. For each class it
keeps ``p log(p / q)`` of the sigmoid posteriors and leaves out ``(1 - p) log((1 - p) / (1 - q))``. So it has no lower
bound: a sound of which the classifier says "everything at once" beats the truth. For parity only; use ``kld_passt``.

Direction: lower is better. Range unbounded. Unit: nat.
No value is right: the truth itself gives 0, and a saturated classifier less.
Undefined: no clip was scored.
Sources: av-benchmark@050a5cd metrics/kl.py (kl_sigmoid).
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._math.divergence import half_bernoulli, mean_divergence

METRIC = mean_divergence(
    half_bernoulli,
    encoder="passt",
    title="KL sigmoid (PaSST), no KL",
    source="av-benchmark@050a5cd metrics/kl.py",
)
