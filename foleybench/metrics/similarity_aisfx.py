"""Similarity (aiSFX): cosine between generated and real sound.

Between the means of their embeddings over blocks, which are no smaller than 0, so unlike sounds are far from 0 too: the
control rows of another clip and of noise show where the scale ends. It hears what kind of sound and in what quality,
not when. Loudness does not matter.
"""

from __future__ import annotations

from foleybench.api.metric import Need
from foleybench.metrics._families.cosine import cosine_metric

METRIC = cosine_metric(
    title="Similarity (aiSFX)",
    source="foleybench; embeddings of Ma and Lerch, ISMIR 2022",
    first=Need(encoder="aisfx", layer="embeddings", of="reference"),
    second=Need(encoder="aisfx", layer="embeddings", of="generated"),
    ideal=1.0,
    of_means=True,
)
