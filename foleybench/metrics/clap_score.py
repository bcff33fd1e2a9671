"""CLAP score: does the sound fit the caption, to a net that puts sounds and words into one space.

Mean over clips of the cosine between LAION-CLAP's embeddings of the caption and of the generated sound, as av-benchmark
computes it (LAION-CLAP-Score). The caption is the clip's label: a sentence in AudioCaps, a class name in VGGSound. The
net was trained on sentences, so values from sentences and from class names do not compare.

Direction: higher is better. Range -1 to 1. Unit: 1. No system has 1: what real sound has, the control rows say. It sees
10 s and is blind to timing. The generated sound never meets the real one: what the caption leaves out is not asked.
Undefined: no scored clip has a caption; a clip without one counts as not applicable.
Sources: Wu et al., ICASSP 2023; av-benchmark@050a5cd evaluate.py (LAION-CLAP-Score).
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.metric import Need
from foleybench.metrics._families.cosine import cosine_metric

METRIC = cosine_metric(
    title="CLAP score",
    source="av-benchmark@050a5cd evaluate.py (LAION-CLAP-Score)",
    first=Need(encoder="clap_laion_text", layer="embedding", of="text"),
    second=Need(encoder="clap_laion", layer="embedding", of="generated"),
    undefined="no scored clip has a caption",
)
