"""KLD (mini): does a classifier hear the same thing as in the real sound.

KL(reference || generated) between the posteriors of our small SynthFoley classifier, averaged over clips; log-softmax
on both sides, nothing added. It never shares a column with ``kld_passt``.

Direction: lower is better. Range 0 upwards. Unit: nat.
Undefined: no clip was scored.
Sources: form of av-benchmark@050a5cd metrics/kl.py (softmax), on our own classifier.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._math.divergence import kl_divergence, mean_divergence

METRIC = mean_divergence(
    kl_divergence,
    encoder="mini_class",
    title="KLD (mini)",
    source="av-benchmark@050a5cd metrics/kl.py, on mini_class",
    ideal=0.0,
)
