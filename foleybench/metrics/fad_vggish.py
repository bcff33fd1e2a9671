"""FAD (VGGish): Fréchet distance between VGGish embeddings.

Each 0.96 s patch gives 128 values before the last ReLU, no PCA, as in audioldm_eval and av-benchmark, which
video-to-audio papers quote. Google's original (half-overlapping windows, peak normalisation) gives other values:
``fad_vggish_google``. A clip needs one patch (0.975 s).
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import frechet_metric

METRIC = frechet_metric(
    encoder="vggish",
    layer="frames",
    title="FAD (VGGish)",
    source="av-benchmark@050a5cd, audioldm_eval@8dc07ee metrics/fad.py; Kilgour et al., Interspeech 2019",
)
