"""FD (PANNs): do all generated sounds together look like all real ones, to PANNs Cnn14.

Fréchet distance between the 2048 values of Cnn14 (16 kHz, after the first full layer's ReLU) of all generated and all
reference sounds: the FD of audioldm_eval with Cnn14 and av-benchmark's FD_PANNs. frechet-audio-distance's "pann" mode
takes a scalar mean of all values instead: its numbers (about 5e-4) do not compare.

Direction: lower is better. Range 0 upwards. Unit: 1. Biased upwards with few clips: the corrected value stands beside
it; compare systems on the same clips only.
2048 dimensions need thousands of clips: with fewer clips than that read the corrected value.
Undefined: fewer clips than a covariance needs.
Sources: audioldm_eval@8dc07ee metrics/fid.py; av-benchmark@050a5cd metrics/fad.py; correction after Chong and Forsyth,
CVPR 2020.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import frechet_metric

METRIC = frechet_metric(
    encoder="panns_16k",
    layer="embedding",
    title="FD (PANNs)",
    source="audioldm_eval@8dc07ee metrics/fid.py; av-benchmark@050a5cd",
)
