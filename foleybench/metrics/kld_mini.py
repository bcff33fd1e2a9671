"""KLD (mini): divergence of our small SynthFoley classifier's posteriors.

Values do not compare with those of ``kld_passt``.
"""

from __future__ import annotations

from foleybench.metrics._families.divergence import kl_metric

METRIC = kl_metric(
    encoder="mini_class",
    title="KLD (mini)",
    source="av-benchmark@050a5cd metrics/kl.py, on mini_class",
)
