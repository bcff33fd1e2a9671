"""KLD (mini): divergence of our small SynthFoley classifier's posteriors.

One posterior a class, whether it sounds, since up to three sound at once. Silence and steady noise lie far from every
clip, since the classifier is certain that nothing sounds there. Values do not compare with those of ``kld_passt``.

Blind spot: a sound of many classes at once is near every clip, and no model here is far below it. On the 1,026 test
clips of SynthFoley 2 one mixture of 40 training clips, played to every video, has 5.44, another clip's audio of another
class 7.60, the nearest training clip 6.92 and the best model 4.45 (``foleybench eval --model fixed_babble``).

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
