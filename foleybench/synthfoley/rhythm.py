"""Write event lists: onsets with gaps, and spans with curves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from foleybench.clips import Event, FloatArray
from foleybench.synthfoley.contract import Plan

CURVE_HZ = 25.0
_LAST_S = 0.04


def onsets(
    plan: Plan,
    gap_s: Callable[[int], float],
    *,
    strength: Callable[[int], float],
    factors: Callable[[int], dict[str, Any]] | None = None,
) -> list[Event]:
    """Write onsets from ``start_s`` to the end of the clip.

    Args:
        plan: The actor's plan.
        gap_s: Time from onset k to onset k + 1.
        strength: Strength of onset k.
        factors: More factors of onset k.

    Returns:
        Events in time order, at least one; ``next_s`` of each is the time of the next contact, even after the end.
    """
    times = [min(plan.factors["start_s"], plan.duration_s - 2 * _LAST_S)]
    while times[-1] < plan.duration_s - _LAST_S:
        times.append(times[-1] + gap_s(len(times) - 1))
    return [
        Event(
            time_s=round(time_s, 6),
            label=plan.label,
            strength=round(strength(k), 4),
            factors={"next_s": round(next_s, 6), **(factors(k) if factors else {})},
        )
        for k, (time_s, next_s) in enumerate(itertools.pairwise(times))
    ]


def accents(plan: Plan, low: float = 0.45) -> Callable[[int], float]:
    """Return strengths that vary from onset to onset between ``low`` and 1."""
    return lambda k: plan.dice.uniform(f"strength {k}", low, 1.0)


def spans(
    plan: Plan, *, curve: Callable[[FloatArray, str], FloatArray], pause: float = 0.5, ramp_s: float = 0.12
) -> list[Event]:
    """Write one or more spans with a pause between them.

    Args:
        plan: The actor's plan.
        curve: From times since the start of the clip and a name for draws to values in [0, 1].
        pause: Probability of a pause in every four seconds of clip.
        ramp_s: Time in which each span fades in and out.
    """
    edges = _on_times(plan, pause)
    events = []
    for k, (start_s, end_s) in enumerate(edges):
        steps = np.arange(int((end_s - start_s) * CURVE_HZ) + 1) / CURVE_HZ
        fade = np.clip(np.minimum(steps, steps[-1] - steps) / ramp_s, 0.0, 1.0)
        values = np.clip(curve(start_s + steps, f"curve {k}"), 0.0, 2.0) * fade
        events.append(
            Event(
                time_s=round(start_s, 6),
                duration_s=round(float(steps[-1]), 6),
                kind="span",
                label=plan.label,
                strength=round(float(np.clip(values.max(), 0.05, 1.0)), 4),
                factors={"curve_hz": CURVE_HZ, "curve": [round(float(value), 4) for value in values]},
            )
        )
    return events


def smooth(plan: Plan, times_s: FloatArray, name: str, *, rate_hz: float, low: float, high: float) -> FloatArray:
    """Return a smooth random curve: a value drawn ``rate_hz`` times per second, joined by half cosines."""
    place = times_s * rate_hz
    knot = np.floor(place).astype(int)
    values = {k: plan.dice.uniform(f"{name} {k}", low, high) for k in range(int(knot.min()), int(knot.max()) + 2)}
    left = np.asarray([values[k] for k in knot])
    right = np.asarray([values[k + 1] for k in knot])
    blend: FloatArray = left + (right - left) * (0.5 - 0.5 * np.cos(np.pi * (place - knot)))
    return blend


def _on_times(plan: Plan, pause: float) -> Sequence[tuple[float, float]]:
    start_s = float(plan.factors["start_s"])
    edges: list[tuple[float, float]] = []
    while plan.duration_s - start_s > 0.4:
        name = f"span {len(edges)}"
        end_s = plan.duration_s
        if plan.dice.chance(f"{name} ends", pause):
            end_s = min(end_s, start_s + plan.dice.uniform(f"{name} length", 1.2, 2.4))
        elif plan.duration_s - start_s > 4.0:
            end_s = start_s + 4.0
        edges.append((start_s, end_s))
        start_s = end_s + plan.dice.uniform(f"{name} rest", 0.4, 0.9)
    return edges or [(max(0.0, plan.duration_s - 0.5), plan.duration_s)]
