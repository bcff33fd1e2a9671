"""KLD (mini): divergence of our small SynthFoley classifier's posteriors.

One posterior a class, whether it sounds, since up to three sound at once. Silence and steady noise lie far from every
clip, since the classifier is certain that nothing sounds there. Values do not compare with those of ``kld_passt``.

Changes: 2 adds up the divergences of single classes; version 1 had one posterior over all classes.
"""

from __future__ import annotations

from foleybench.metrics._families.divergence import kl_classes_metric

METRIC = kl_classes_metric(
    encoder="mini_class",
    title="KLD (mini)",
    source="Kullback and Leibler, On Information and Sufficiency, 1951, of Bernoulli posteriors, on mini_class",
    version=2,
)
