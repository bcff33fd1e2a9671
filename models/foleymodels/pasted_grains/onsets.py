"""Find onsets: in audio by energy, as peaks of a score.

The detector is not an evaluator's: no model may use a part that scores it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

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


def onset_targets(onsets_s: FloatArray, n_frames: int, grid_hz: float) -> Tensor:
    """Return 1 at frames whose middle is at an onset, falling to 0 one frame away, shape (n_frames, 1)."""
    middles = (np.arange(n_frames) + 0.5) / grid_hz
    if len(onsets_s) == 0:
        return torch.zeros(n_frames, 1)
    away = np.abs(middles[:, None] - onsets_s[None, :]).min(1) * grid_hz
    return torch.from_numpy(np.clip(1.0 - away, 0.0, 1.0)).float()[:, None]


def peaks(score: Tensor, threshold: float, grid_hz: float, gap: int = 3) -> FloatArray:
    """Return the times of the highest frames of a score, ``gap`` frames apart or more; a parabola finds the top."""
    values = score.double().numpy()
    left, found = values.copy(), []
    while (k := int(left.argmax())) >= 0 and left[k] >= threshold:
        found.append(k)
        left[max(0, k - gap) : k + gap + 1] = -np.inf
    times = []
    for k in sorted(found):
        before, here, after = values[max(0, k - 1)], values[k], values[min(len(values) - 1, k + 1)]
        bend = before - 2.0 * here + after
        shift = 0.5 * (before - after) / bend if bend < 0.0 else 0.0
        times.append((k + 0.5 + float(np.clip(shift, -0.5, 0.5))) / grid_hz)
    return np.asarray(times)


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
