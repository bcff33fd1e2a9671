"""CLAP score: cosine between the embeddings of caption and audio.

As av-benchmark computes it (LAION-CLAP-Score). The caption is the clip's label: a sentence in AudioCaps, a class name
in VGGSound. The net was trained on sentences, so values from sentences and from class names do not compare. A clip
without a caption does not apply.

The embedding covers 10 s and is blind to timing. The reference audio is not used: only events in the caption
count.
"""

from __future__ import annotations

from foleybench.api.metric import Need
from foleybench.metrics._families.cosine import cosine_metric

METRIC = cosine_metric(
    title="CLAP score",
    source="av-benchmark@050a5cd evaluate.py (LAION-CLAP-Score); Wu et al., ICASSP 2023",
    first=Need(encoder="clap_laion_text", layer="embedding", of="text"),
    second=Need(encoder="clap_laion", layer="embedding", of="generated"),
    undefined="no clip has a caption",
)
