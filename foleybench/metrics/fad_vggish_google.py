"""FAD (VGGish, Google): Fréchet Audio Distance as its authors compute it.

audiocraft computes the same: VGGish embeddings of one 0.96 s patch every 0.5 s, from audio scaled to a peak of 1 (by no
    more
than 20 dB). AudioGen, MusicGen and FoleyGen quote this one; ``fad_vggish`` differs by windows and scaling alone.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import frechet_metric

METRIC = frechet_metric(
    encoder="vggish_google",
    layer="frames",
    title="FAD (VGGish, Google)",
    source="Kilgour et al., Interspeech 2019 (google-research); audiocraft@896ec7c metrics/fad.py",
)
