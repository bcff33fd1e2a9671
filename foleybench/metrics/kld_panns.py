"""KLD (PANNs): does the AudioSet classifier Cnn14 hear the same thing as in the real sound.

KL(reference || generated) between the softmax posteriors of PANNs Cnn14 (16 kHz) over the 527 classes of AudioSet,
averaged over clips; log-softmax on both sides, nothing added: the way of av-benchmark. ``kld_panns_eps`` is
audioldm_eval's.

Direction: lower is better. Range 0 upwards. Unit: nat.
Undefined: no clip was scored.
Sources: av-benchmark@050a5cd metrics/kl.py (softmax) and extract.py.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._math.divergence import kl_divergence, mean_divergence

METRIC = mean_divergence(
    kl_divergence,
    encoder="panns_16k",
    title="KLD (PANNs)",
    source="av-benchmark@050a5cd metrics/kl.py",
    ideal=0.0,
)
