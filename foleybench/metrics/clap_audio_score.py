"""CLAP score against the reference audio: cosine between their embeddings.

LAION-CLAP's embeddings of generated and reference audio; they cover 10 s and are blind to timing. This is not the CLAP
score of papers, which compares audio with a caption: that is ``clap_score``.
"""

from __future__ import annotations

from foleybench.api.metric import Need
from foleybench.metrics._families.cosine import cosine_metric

METRIC = cosine_metric(
    title="CLAP score, audio to audio",
    source="foleybench; embeddings of LAION-AI/CLAP@1fd4c37, Wu et al., ICASSP 2023",
    first=Need(encoder="clap_laion", layer="embedding", of="reference"),
    second=Need(encoder="clap_laion", layer="embedding", of="generated"),
    ideal=1.0,
)
