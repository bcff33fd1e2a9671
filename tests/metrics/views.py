"""Clips as metrics see them, made by hand."""

import numpy as np

from foleybench.api.metric import ClipView
from foleybench.clips import Event


def view(features=None, *, events=None, label="", seconds=None, duration_s=4.0, clip_id="clip_000000"):
    return ClipView(
        clip_id=clip_id,
        source_id=clip_id.rpartition("_")[0],
        label=label,
        duration_s=duration_s,
        events=events,
        features={name: np.asarray(value) for name, value in (features or {}).items()},
        seconds=seconds,
    )


def onsets(*times_s, **kinds):
    return tuple(Event(time_s=time_s, **kinds) for time_s in times_s)
