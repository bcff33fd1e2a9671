"""Exact times of a clip's events."""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView
from foleybench.clips import FloatArray


def event_times_s(clip: ClipView, *, visible: bool) -> FloatArray:
    """Return the sorted times of the audible onset events that are (or are not) in the video, shape (n,)."""
    chosen = [e.time_s for e in clip.events or () if e.kind == "onset" and e.audible and e.visible == visible]
    return np.sort(np.asarray(chosen, dtype=np.float64))
