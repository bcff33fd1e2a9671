"""KLD (PaSST): divergence of the posteriors of PaSST.

Over the 527 classes of AudioSet, of audio zero-padded or cut to 10 s, as av-benchmark does. Others exchange generated
and reference (``kld_passt_reversed``) or add 1e-6 (``kld_passt_eps``, ``kld_passt_segments``): do not compare across.
"""

from __future__ import annotations

from foleybench.metrics._families.divergence import kl_metric

METRIC = kl_metric(
    encoder="passt",
    title="KLD (PaSST)",
    source="av-benchmark@050a5cd metrics/kl.py (softmax), extract.py",
)
