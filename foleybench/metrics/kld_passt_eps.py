"""KLD (PaSST, 1e-6 added): ``kld_passt`` as audioldm_eval's PaSST branch computes it.

The worst clips weigh less than in ``kld_passt``: on peaked posteriors the mean is lower by 5 % and more for the same
audio.
"""

from __future__ import annotations

from foleybench.metrics._families.divergence import kl_epsilon_metric

METRIC = kl_epsilon_metric(
    encoder="passt",
    title="KLD (PaSST, eps)",
    source="audioldm_eval@a2fde54 (branch passt_replace_panns) metrics/kl.py; also SpecVQGAN@33c601d metrics/kl.py",
)
