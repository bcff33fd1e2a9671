"""KAD (aiSFX): kernel distance between embeddings of sound effects.

Each block of 2.3 s of a clip gives one embedding, from a network trained on sound effects. The value measures kind and
quality of audio, and no timing below seconds. Loudness does not matter.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import kernel_metric

METRIC = kernel_metric(
    encoder="aisfx",
    layer="embeddings",
    title="KAD (aiSFX)",
    source='Chung et al., "KAD: No More FAD!", ICML 2025, on the embeddings of Ma and Lerch, ISMIR 2022',
    minimum_clips=5,
)
