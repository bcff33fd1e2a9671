"""Make metrics of the time that generation takes."""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.metrics._families.features import scalar
from foleybench.metrics._math.finite import finite
from foleybench.stats.pools import Ratio

_NOTE = (
    "Wall-clock seconds of ``generate`` for one clip at a time (batch 1, after a warm-up, device synchronised). The "
    "result names the machine: compare values from one machine only. Clips without a reported time do not apply."
)


def speed_metric(*, title: str, unit: str, per_second_of_audio: bool) -> Metric:
    """Return the metric that averages the time of generation.

    Args:
        title: Column heading.
        unit: Unit of the value.
        per_second_of_audio: Whether the time is divided by the clips' length, or by their number.
    """
    pool = Ratio("seconds", ("duration_s",)) if per_second_of_audio else Ratio("seconds")

    def per_clip(clip: ClipView) -> Stat | None:
        if clip.seconds is None or (per_second_of_audio and not clip.duration_s > 0):
            return None
        seconds = finite(scalar(clip.seconds), f"generation time of clip {clip.clip_id!r}")
        return {"seconds": seconds} | ({"duration_s": scalar(clip.duration_s)} if per_second_of_audio else {})

    return Metric(
        title=title,
        version=1,
        unit=unit,
        better="lower",
        ideal=None,
        best=0.0,
        source="foleybench; no peer defines a protocol",
        needs={},
        per_clip=per_clip,
        pool=pool,
        undefined="no clip has a reported time: the audio folder does not say how long generation took",
        note=_NOTE,
        unranked="times depend on the machine, on what ran beside and on the clips timed, with --batch the first ones",
        clip_value=pool.of_clip,
    )
