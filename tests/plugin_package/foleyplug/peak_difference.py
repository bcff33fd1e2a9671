"""Peak difference: between the largest samples of the true and the generated sound."""

import numpy as np

from foleybench.api.metric import Metric, Need


def _per_clip(clip):
    return {"apart": np.abs(clip["generated"] - clip["reference"])}


def _mean(stats):
    return float(np.mean([stat["apart"] for stat in stats])) if stats else float("nan")


PEAK_DIFFERENCE = Metric(
    title="Peak difference",
    version=1,
    unit="1",
    better="lower",
    ideal=0.0,
    source="foleyplug",
    needs={side: Need(encoder="plug_peak", layer="peak", of=side) for side in ("generated", "reference")},
    per_clip=_per_clip,
    pool=_mean,
    clip_value=lambda stat: float(stat["apart"]),
    undefined="no clip",
)
