"""Exact events of a clip, and event F1 at any tolerance."""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.clips import Event, FloatArray
from foleybench.metrics._families.features import read_feature
from foleybench.metrics._math.f_score import counts, curve, pool_at


def audible_onsets(clip: ClipView, *, visible: bool) -> list[Event]:
    """Return the audible onset events that are (or are not) in the video, in the order given."""
    return [e for e in clip.events or () if e.kind == "onset" and e.audible and e.visible == visible]


def event_times_s(clip: ClipView, *, visible: bool) -> FloatArray:
    """Return the sorted times of the audible onset events that are (or are not) in the video, shape (n,)."""
    chosen = [event.time_s for event in audible_onsets(clip, visible=visible)]
    return np.sort(np.asarray(chosen, dtype=np.float64))


def events_by_source(clip: ClipView) -> dict[str, FloatArray]:
    """Return the sorted times of each source's audible, visible onset events; those without a source are one."""
    times: dict[str, list[float]] = {}
    for event in audible_onsets(clip, visible=True):
        times.setdefault(event.source, []).append(event.time_s)
    return {source: np.sort(np.asarray(found, dtype=np.float64)) for source, found in times.items()}


def event_f1(tolerance_s: float) -> Metric:
    """Return the metric that counts generated onsets against exact events.

    Args:
        tolerance_s: Largest distance of a pair; one of ``f_score.TOLERANCES_S``.
    """
    pool = pool_at(tolerance_s)
    return Metric(
        title=f"Event F1 ({1000 * tolerance_s:.0f} ms)",
        version=1,
        unit="1",
        better="higher",
        ideal=1.0,
        worst=0.0,
        source="mir_eval@fe73b35 onset.f_measure, micro-averaged, on exact events",
        needs={"onsets": Need(encoder="onsets", layer="times_s", of="generated")},
        per_clip=_counts,
        pool=pool,
        undefined="no clip has an audible, visible onset event",
        clip_value=pool.of_clip,
        curve=curve,
    )


def _counts(clip: ClipView) -> Stat | None:
    wanted = event_times_s(clip, visible=True)
    generated = np.sort(read_feature(clip, "onsets"))
    if not len(wanted):
        return None
    return counts(wanted, generated, event_times_s(clip, visible=False))
