"""KAD (CLAP): kernel distance between LAION-CLAP's embeddings.

One embedding for each clip, that of ``fad_clap``. The value measures kind and quality of audio and is blind to timing.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import kernel_metric

METRIC = kernel_metric(
    encoder="clap_laion",
    title="KAD (CLAP)",
    source='Chung et al., "KAD: No More FAD!", ICML 2025, with the embeddings of LAION-AI/CLAP@1fd4c37',
)
