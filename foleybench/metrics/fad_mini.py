"""FAD (mini): do all generated sounds together look like all real ones.

Fréchet distance between the embeddings (one a clip) of our small SynthFoley classifier. It sees realism and variety,
not whether a sound fits its clip. It never shares a column with ``fad_vggish``.

Direction: lower is better. Range 0 upwards. Unit: 1. Biased upwards with few clips: the corrected value stands beside
it; compare systems on the same clips only.
Undefined: fewer clips than a covariance of the embedding needs.
Sources: Kilgour et al., "Fréchet Audio Distance", Interspeech 2019; correction after Chong and Forsyth, CVPR 2020.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.metric import Metric, Need
from foleybench.metrics._math.distances import corrected, pool, rows_per_clip

METRIC = Metric(
    title="FAD (mini)",
    version=1,
    unit="1",
    better="lower",
    ideal=0.0,
    source="Kilgour et al. 2019, on mini_class embeddings",
    needs={
        "reference": Need(encoder="mini_class", layer="embedding", of="reference"),
        "generated": Need(encoder="mini_class", layer="embedding", of="generated"),
    },
    per_clip=rows_per_clip,
    pool=pool,
    corrected=corrected,
    undefined="too few clips for a covariance",
    minimum_clips=24,
)
