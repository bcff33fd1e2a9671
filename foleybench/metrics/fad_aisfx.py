"""FAD (aiSFX): Fréchet distance between embeddings of sound effects.

The embeddings are those of ``kad_aisfx``, 512 numbers each. Warning: below 1,000 blocks (about 150 clips of 10 s) the
covariances are mostly chance, and so is the value: read ``kad_aisfx``, which has no such bias.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import frechet_metric

METRIC = frechet_metric(
    encoder="aisfx",
    layer="embeddings",
    few_rows=1000,
    title="FAD (aiSFX)",
    source="Kilgour et al., Interspeech 2019, on the embeddings of Ma and Lerch, ISMIR 2022",
)
