"""Seconds per clip: how long does it take to make the sound of a clip, one at a time.

Wall-clock seconds of ``generate`` for one clip (batch 1, after a warm-up, device synchronised), averaged over clips.
The machine is named in the result: compare only figures from the same one.

Direction: lower is better. Unit: s.
Clips without a reported time are not applicable.
Undefined: the audio folder does not say how long generation took.
Sources: none; ours (no peer defines a protocol).
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.metrics._families.features import finite, scalar
from foleybench.stats.pools import Ratio

POOL = Ratio("seconds")


def _per_clip(clip: ClipView) -> Stat | None:
    if clip.seconds is None:
        return None
    return {"seconds": finite(scalar(clip.seconds), f"generation time of clip {clip.clip_id!r}")}


METRIC = Metric(
    title="Seconds per clip",
    version=1,
    unit="s",
    better="lower",
    ideal=None,
    source="foleybench",
    needs={},
    per_clip=_per_clip,
    pool=POOL,
    undefined="speed is not reported: the audio folder does not say how long generation took",
    clip_value=POOL.of_clip,
)
