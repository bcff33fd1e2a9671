"""KLD (PANNs): divergence of the posteriors of PANNs Cnn14.

Cnn14 at 16 kHz, over the 527 classes of AudioSet: the way of av-benchmark. ``kld_panns_eps`` is audioldm_eval's.
"""

from __future__ import annotations

from foleybench.metrics._families.divergence import kl_metric

METRIC = kl_metric(
    encoder="panns_16k",
    title="KLD (PANNs)",
    source="av-benchmark@050a5cd metrics/kl.py (softmax) and extract.py",
)
