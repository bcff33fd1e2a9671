"""KLD (PaSST): does an AudioSet classifier hear the same thing as in the real sound.

KL(reference || generated) between the softmax posteriors of PaSST over the 527 classes of AudioSet, averaged over
clips; log-softmax on both sides, nothing added, sounds zero-padded or cut to 10 s: the way of av-benchmark. Others turn
the direction round (``kld_passt_reversed``) or add 1e-6 (``kld_passt_eps``, ``kld_passt_segments``): do not compare
across.

Direction: lower is better. Range 0 upwards. Unit: nat.
Undefined: no clip was scored.
Sources: av-benchmark@050a5cd metrics/kl.py (softmax) and extract.py.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._math.divergence import kl_divergence, mean_divergence

METRIC = mean_divergence(
    kl_divergence,
    encoder="passt",
    title="KLD (PaSST)",
    source="av-benchmark@050a5cd metrics/kl.py",
    ideal=0.0,
)
