"""FD (PaSST): Fréchet distance between embeddings of PaSST.

PaSST gives 768 values (mean of class and distillation token) of audio zero-padded or cut to 10 s: the FD_PaSST of
av-benchmark. kadtk's "passt" puts the 527 logits beside the embedding: its values do not compare.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import frechet_metric

METRIC = frechet_metric(
    encoder="passt",
    layer="embedding",
    title="FD (PaSST)",
    source="av-benchmark@050a5cd metrics/fad.py and evaluate.py",
)
