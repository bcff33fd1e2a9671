"""Material AUC: whether a material is heard more where it sounds.

For each material, the chance that our small SynthFoley classifier hears it more in a clip in which it sounds than in
one in which it does not (area under the ROC curve; ties count as half), then the mean over the materials. What is the
same for all clips has .5, however common a material is: unlike in ``material_accuracy``, no guess for all gains.

Blind spots: clips are compared with each other and not their materials, so an offset of one material in all clips costs
nothing. It does not tell which source is of which material, and a rare one weighs as much as a common one. Glass, metal
and ceramic ring alike, as do wood and plastic: read it beside the row of the ground truth.
"""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.heard import heard_materials
from foleybench.stats.areas import MeanArea


def _per_clip(clip: ClipView) -> Stat | None:
    heard = heard_materials(clip)
    return None if heard is None else {"logits": heard.logits.astype(float), "sounding": heard.sounding.astype(float)}


METRIC = Metric(
    title="Material AUC",
    version=1,
    unit="1",
    better="higher",
    ideal=1.0,
    worst=0.0,
    source="scikit-learn roc_auc_score(average='macro'), on mini_class",
    needs={"material_logits": Need(encoder="mini_class", layer="material_logits", of="generated")},
    per_clip=_per_clip,
    pool=MeanArea("logits", "sounding"),
    undefined="no clip has an audible event with a material that the classifier knows",
)
