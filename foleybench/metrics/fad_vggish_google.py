"""FAD (VGGish, Google's way): Fréchet Audio Distance as its authors and audiocraft compute it.

Fréchet distance between VGGish embeddings of one 0.96 s patch every 0.5 s, from sound scaled to a peak of 1 (by no more
than 20 dB): AudioGen, MusicGen and FoleyGen quote this one. It differs from ``fad_vggish`` on the same sound by windows
and scaling alone.

Direction: lower is better. Range 0 upwards. Unit: 1. Biased upwards with few clips: the corrected value stands beside
it; compare systems on the same clips only.
Clips shorter than one window are not applicable.
Undefined: fewer clips than a covariance needs.
Sources: Kilgour et al., Interspeech 2019; google-research frechet_audio_distance; audiocraft@896ec7c metrics/fad.py;
correction after Chong and Forsyth, CVPR 2020.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.metrics._families.embedding_distance import frechet_metric

METRIC = frechet_metric(
    encoder="vggish_google",
    layer="frames",
    title="FAD (VGGish, Google)",
    source="google-research frechet_audio_distance",
)
