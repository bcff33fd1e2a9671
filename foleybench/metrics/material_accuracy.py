"""Material accuracy: share of the sounding materials that are heard most.

Of a clip with audible events of k materials, our small SynthFoley classifier's k likeliest materials count; the value
is the share of true ones among them, over all clips together (R-precision; with one material, plain accuracy). Where
the classifier hears nothing (silence, noise) there is no hit.

Blind spot: one guess for all clips is worth much. One mixture of 40 training clips for every video has .39 on the 1,026
test clips of SynthFoley 2, more than any model there, the best of which has .36 (``foleybench eval --model
fixed_babble``); another clip of the class has .40, the true audio .65. ``material_auc`` pays no guess for all.

It does not tell which source is of which material, and guesses better by chance where several sound. Glass, metal and
ceramic ring alike, as do wood and plastic: read it beside the row of the ground truth.
A material that a class never had in training is mostly missed: the true audio of SynthFoley's ``heldout_material`` has
0.34, that of its test split 0.65 (``benchmarks/results/mini_evaluators.md``).
"""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.features import scalar
from foleybench.metrics._families.heard import heard_materials
from foleybench.stats.pools import Ratio

POOL = Ratio("hits", ("n_sounding",), counts=True)


def _per_clip(clip: ClipView) -> Stat | None:
    heard = heard_materials(clip)
    if heard is None:
        return None
    return {"hits": scalar(float(heard.top_hits())), "n_sounding": scalar(float(heard.sounding.sum()))}


METRIC = Metric(
    title="Material accuracy",
    version=1,
    unit="1",
    better="higher",
    ideal=1.0,
    worst=0.0,
    source="Manning et al., Introduction to Information Retrieval, 2008, section 8.4 (R-precision), on mini_class",
    needs={"material_logits": Need(encoder="mini_class", layer="material_logits", of="generated")},
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip has an audible event with a material that the classifier knows",
    clip_value=POOL.of_clip,
)
