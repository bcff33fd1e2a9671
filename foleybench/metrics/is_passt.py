"""IS (PaSST): is each generated sound clear to an AudioSet classifier, and are all of them together varied.

Inception score of PaSST's softmax posteriors over the generated sounds: exponential of the mean divergence from the
mean posterior, in ten parts after one shuffle (``RandomState(2020)``), as av-benchmark and audioldm_eval do. The
shuffle starts from the clips sorted by id, so no listing of files can change the value.

Direction: higher is better. Range 1 to 527. Unit: 1. Biased downwards with few clips: the corrected value, without
parts and extrapolated, stands beside it.
It never looks at the video or at the real sound: clear, varied and wrong sounds score high.
Undefined: fewer clips than parts.
Sources: Salimans et al., NeurIPS 2016; av-benchmark@050a5cd metrics/isc.py.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._math.inception import inception_metric

METRIC = inception_metric(encoder="passt", title="IS (PaSST)", source="av-benchmark@050a5cd metrics/isc.py")
