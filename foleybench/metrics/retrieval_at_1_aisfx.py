"""Retrieval at 1 (aiSFX): own real audio nearest of all.

Share of clips for which no other clip's real audio is as near. Chance is one in the number of clips, so values from
sets of different size do not compare: ``retrieval_aisfx`` does.
"""

from __future__ import annotations

from foleybench.metrics._families.retrieval import retrieval_metric

METRIC = retrieval_metric(
    encoder="aisfx",
    layer="embeddings",
    title="Retrieval (aiSFX), at 1",
    source="foleybench; embeddings of Ma and Lerch, ISMIR 2022, by rank",
    what="first",
    worst=0.0,
)
