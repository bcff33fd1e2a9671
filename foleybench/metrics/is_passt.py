"""IS (PaSST): inception score of PaSST's posteriors.

The softmax posteriors are those of audio zero-padded or cut to 10 s.
"""

from __future__ import annotations

from foleybench.metrics._families.inception import inception_metric

METRIC = inception_metric(encoder="passt", n_classes=527, title="IS (PaSST)")
