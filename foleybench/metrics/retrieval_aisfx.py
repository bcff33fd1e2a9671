"""Retrieval (aiSFX): own real audio nearer than another clip's.

For each clip the share of other clips whose real audio is farther from the generated audio than the clip's own, ties
counting half; averaged over clips: the area under the curve. Chance is 0.5, however many clips there are.
"""

from __future__ import annotations

from foleybench.metrics._families.retrieval import retrieval_metric

METRIC = retrieval_metric(
    encoder="aisfx",
    layer="embeddings",
    title="Retrieval (aiSFX), area",
    source="foleybench; embeddings of Ma and Lerch, ISMIR 2022",
    what="area",
    worst=0.0,
)
