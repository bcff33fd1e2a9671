"""FAD (VGGish): do all generated sounds together look like all real ones.

Fréchet distance between the VGGish embeddings (128 values before the last ReLU, no PCA) of all 0.96 s patches of all
generated and all reference sounds: the way of audioldm_eval and av-benchmark that video-to-audio papers quote. Google's
original (half-overlapping windows, peak normalisation) gives other numbers.

Direction: lower is better. Range 0 upwards. Unit: 1. Biased upwards with few clips: the corrected value stands beside
it; compare systems on the same clips only.
Clips shorter than one patch (0.975 s) are not applicable.
Undefined: fewer clips than a covariance needs.
Sources: Kilgour et al., Interspeech 2019; audioldm_eval@8dc07ee metrics/fad.py; av-benchmark@050a5cd metrics/fad.py;
correction after Chong and Forsyth, CVPR 2020.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._math.distances import corrected, pool, rows_per_clip


def _per_clip(clip: ClipView) -> Stat | None:
    rows = rows_per_clip(clip)
    return rows if len(rows["reference"]) and len(rows["generated"]) else None


METRIC = Metric(
    title="FAD (VGGish)",
    version=1,
    unit="1",
    better="lower",
    ideal=0.0,
    source="av-benchmark@050a5cd metrics/fad.py; audioldm_eval@8dc07ee metrics/fad.py",
    needs={
        "reference": Need(encoder="vggish", layer="frames", of="reference"),
        "generated": Need(encoder="vggish", layer="frames", of="generated"),
    },
    per_clip=_per_clip,
    pool=pool,
    corrected=corrected,
    undefined="too few clips for a covariance",
    minimum_clips=16,
)
