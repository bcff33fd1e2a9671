"""Similarity (aiSFX): cosine between generated and real audio.

The cosine is between mean embeddings over blocks. No component is below 0, so unlike audio is far from 0 too: the
control rows of another clip and of noise show where the scale ends. The value measures kind and quality of audio, not
timing. Loudness does not matter.
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
