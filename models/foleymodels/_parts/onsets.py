"""Find onsets in training audio by energy, and score onsets.

The detector is not an evaluator's: no model may use a part that scores it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foleybench.clips import AudioArray, FloatArray

_HOP_S = 0.002
_SPAN_S = 0.012
_RISE = 1.6
_APART_S = 0.06
_QUIETEST = 2e-3


def find_onsets(audio: AudioArray, rate_hz: int) -> FloatArray:
    """Return the times where the energy of the next 12 ms most exceeds that of the last 12, in seconds, increasing.

    Args:
        audio: Shape (N,).
        rate_hz: Its sample rate.
    """
    # Differences of samples, since starts are sharper in high frequencies.
    power = np.concatenate([[0.0], np.cumsum(np.diff(audio.astype(np.float64), prepend=0.0) ** 2)])
    span = round(_SPAN_S * rate_hz)
    places = np.arange(span, len(audio) - span, max(1, round(_HOP_S * rate_hz)))
    if len(places) == 0:
        return np.zeros(0)
    after, before = power[places + span] - power[places], power[places] - power[places - span]
    floor = (_QUIETEST * np.sqrt(power[-1] / len(audio) + 1e-20)) ** 2 * span + 1e-2 * power[-1] / len(audio) * span
    rise = np.log((after + floor) / (before + floor))
    apart = round(_APART_S / _HOP_S)
    found: list[int] = []
    for place in np.argsort(-rise, kind="stable"):
        if rise[place] < _RISE:
            break
        if all(abs(int(place) - other) > apart for other in found):
            found.append(int(place))
    return np.sort(places[np.asarray(found, dtype=np.int64)] / rate_hz)


def f_score(found: Sequence[FloatArray], wanted: Sequence[FloatArray], tolerance_s: float) -> float:
    """Return F1 over clips, each time matched at most once; NaN when there is nothing to find and nothing found."""
    hits = total = 0
    for times, others in zip(found, wanted, strict=True):
        free = list(others)
        total += len(times) + len(others)
        for time_s in times:
            near = [k for k, other in enumerate(free) if abs(other - time_s) <= tolerance_s]
            if near:
                free.pop(near[0])
                hits += 1
    return 2.0 * hits / total if total else float("nan")
