"""Real-time factor: seconds of computing per second of sound.

Wall-clock seconds of ``generate`` (batch 1, after a warm-up, device synchronised) over all clips, divided by the total
length of the clips. Below 1 is faster than real time. The machine is named in the result.

Direction: lower is better. Unit: 1.
Clips without a reported time are not applicable.
Undefined: the audio folder does not say how long generation took.
Sources: none; ours (no peer defines a protocol).
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.metrics._families.features import finite, scalar
from foleybench.stats.pools import Ratio

POOL = Ratio("seconds", ("duration_s",))


def _per_clip(clip: ClipView) -> Stat | None:
    if clip.seconds is None or not clip.duration_s > 0:
        return None
    seconds = finite(scalar(clip.seconds), f"generation time of clip {clip.clip_id!r}")
    return {"seconds": seconds, "duration_s": scalar(clip.duration_s)}


METRIC = Metric(
    title="Real-time factor",
    version=1,
    unit="1",
    better="lower",
    ideal=None,
    source="foleybench",
    needs={},
    per_clip=_per_clip,
    pool=POOL,
    undefined="speed is not reported: the audio folder does not say how long generation took",
    clip_value=POOL.of_clip,
)
