"""IS (PANNs): inception score of PANNs Cnn14's posteriors.

The softmax posteriors are those of Cnn14 at 16 kHz. The score is high when each clip is clear to the network and all
together are varied.
"""

from __future__ import annotations

from foleybench.metrics._families.inception import inception_metric

METRIC = inception_metric(encoder="panns_16k", n_classes=527, title="IS (PANNs)")
