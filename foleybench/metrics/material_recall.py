"""Material recall: mean over materials of how often each is heard.

Of a clip with audible events of k materials, our small SynthFoley classifier's k likeliest materials count, where it
hears anything. A material's recall is the share of the clips with it where it is among them (macro average). So one
guess for all clips is worth little, unlike in ``material_accuracy``.

Blind spots: it does not tell which source is of which material, and guesses better by chance where several sound. A
rare material weighs as much as a common one, so few clips decide much. Glass, metal and ceramic ring alike, as do wood
and plastic: read it beside the row of the ground truth.
"""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.heard import heard_materials
from foleybench.stats.pools import MeanOfRatios

POOL = MeanOfRatios("hits", "sounding")


def _per_clip(clip: ClipView) -> Stat | None:
    heard = heard_materials(clip)
    return None if heard is None else {"hits": heard.hits().astype(float), "sounding": heard.sounding.astype(float)}


METRIC = Metric(
    title="Material recall",
    version=1,
    unit="1",
    better="higher",
    ideal=1.0,
    worst=0.0,
    source="scikit-learn recall_score(average='macro'), on mini_class",
    needs={"material_logits": Need(encoder="mini_class", layer="material_logits", of="generated")},
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip has an audible event with a material that the classifier knows",
    clip_value=POOL.of_clip,
)
