"""FD (PaSST): do all generated sounds together look like all real ones, to PaSST.

Fréchet distance between PaSST's 768 values (mean of class and distillation token) of all generated and all reference
sounds, zero-padded or cut to 10 s: the FD_PaSST of av-benchmark. kadtk's "passt" puts the 527 logits beside the
embedding: its numbers do not compare.

Direction: lower is better. Range 0 upwards. Unit: 1. Biased upwards with few clips: the corrected value stands beside
it; compare systems on the same clips only.
Undefined: fewer clips than a covariance needs.
Sources: av-benchmark@050a5cd metrics/fad.py and evaluate.py; correction after Chong and Forsyth, CVPR 2020.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import frechet_metric

METRIC = frechet_metric(
    encoder="passt",
    layer="embedding",
    title="FD (PaSST)",
    source="av-benchmark@050a5cd metrics/fad.py",
)
