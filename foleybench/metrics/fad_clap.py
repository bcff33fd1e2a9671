"""FAD (CLAP): Fréchet distance between LAION-CLAP's embeddings.

The embeddings are those of ``clap_audio_score``, 512 numbers of unit length for each clip: its first 10 s, repeated
where it is shorter. fadtk takes a window every second, filled with zeros, and other weights: its values do not compare.
Warning: below 1,000 clips the covariances are mostly chance; ``kad_clap`` has no such bias.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import frechet_metric

METRIC = frechet_metric(
    encoder="clap_laion",
    layer="embedding",
    few_rows=1000,
    title="FAD (CLAP)",
    source="Gui et al., ICASSP 2024, with the embeddings of LAION-AI/CLAP@1fd4c37, Wu et al., ICASSP 2023",
)
