"""FD (PANNs): Fréchet distance between embeddings of PANNs Cnn14.

Embeddings are the 2048 values of Cnn14 at 16 kHz after the first full layer's ReLU: the FD of audioldm_eval with Cnn14
and av-benchmark's FD_PANNs. frechet-audio-distance's "pann" mode takes a scalar mean of all values instead: its values
(about 5e-4) do not compare. 2048 dimensions need thousands of clips: with fewer read the corrected value.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import frechet_metric

METRIC = frechet_metric(
    encoder="panns_16k",
    layer="embedding",
    title="FD (PANNs)",
    source="audioldm_eval@8dc07ee metrics/fid.py; av-benchmark@050a5cd metrics/fad.py",
)
