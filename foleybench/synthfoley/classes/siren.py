"""A car with a siren that passes by."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray, Event, FloatArray
from foleybench.synthesis.noise import wave
from foleybench.synthesis.shapes import box, disc
from foleybench.synthfoley.canvas import Canvas
from foleybench.synthfoley.contract import Actor, Plan, SoundClass, Take
from foleybench.synthfoley.marks import floor, light
from foleybench.synthfoley.rhythm import CURVE_HZ

_ROAD_Y = 0.3
_SPEED_OF_SOUND = 343.0
_LANE_M = 6.0
_WIDTH_M = 24.0
_TIMBRE = {"metal": 0.35, "brass": 0.7, "plastic": 0.15, "wood": 0.5}


def compose(plan: Plan) -> list[Event]:
    """Write one span a pass; its curve is the place across the frame, -1 at the left edge to 1 at the right."""
    pass_s = 1.0 / plan.rate_hz(0.36, 0.7)
    start_s = float(plan.factors["start_s"])
    passes: list[Event] = []
    while start_s < plan.duration_s - 0.4:
        k = len(passes)
        side = 1.0 if plan.dice.chance(f"direction {k}", 0.5) else -1.0
        length_s = min(pass_s, plan.duration_s - start_s)
        steps = np.arange(int(np.ceil(length_s * CURVE_HZ)) + 1) / CURVE_HZ
        place = side * (2.5 * steps / pass_s - 1.25)
        passes.append(
            Event(
                time_s=round(start_s, 6),
                duration_s=round(length_s, 6),
                kind="span",
                label=plan.label,
                factors={
                    "curve_hz": CURVE_HZ,
                    "curve": [round(float(v), 4) for v in place],
                    "wail_hz": round(plan.rate_hz(1.0, 2.4), 4),
                },
            )
        )
        start_s += pass_s + plan.dice.uniform(f"rest {k}", 0.3, 0.7)
    return passes


def stage(canvas: Canvas, actor: Actor) -> None:
    """Draw the road."""
    if not actor.silent:
        floor(canvas, actor.ground, _ROAD_Y)


def act(canvas: Canvas, actor: Actor) -> None:
    """Draw the car, its wheels and its lamps, which blink with the wail; the look-alike's are dark."""
    for event in actor.events:
        place, here = _place(event, actor.times_s)
        x = 0.62 * place
        y = _ROAD_Y - (0.34 if actor.silent else 0.14)
        scale = (0.6 if actor.silent else 1.0) * (0.85 + 0.25 * actor.size)
        car = canvas.at(0.0, y)
        canvas_body = actor.body
        car.paint(
            box, canvas_body, reach=0.25 * scale, x=x, alpha=here, pattern=None, hw=0.24 * scale, hh=0.075 * scale
        )
        car.paint(
            box, actor.accent, reach=0.14 * scale, x=x, y=-0.12 * scale, alpha=here, hw=0.13 * scale, hh=0.06 * scale
        )
        for wheel in (-0.14, 0.14):
            dark = np.asarray([0.06, 0.06, 0.07], dtype=np.float32)
            car.paint(disc, dark, reach=0.07 * scale, x=x + wheel * scale, y=0.08 * scale, alpha=here, r=0.055 * scale)
        if not actor.silent:
            _lamps(car, event, actor.times_s, x, here, scale)


def sound(take: Take) -> AudioArray:
    """Play a wail with the Doppler shift and the distance of the pass."""
    out = np.zeros(take.n_samples, dtype=np.float32)
    times_s = np.arange(take.n_samples) / take.rate_hz
    base_hz = 620.0 * 2.0 ** (take.rng.normal(0.0, 0.12) - 0.7 * (take.size - 0.5))
    bright = _TIMBRE[str(take.factors["material"])]
    gains = bright ** np.arange(6) * 10.0 ** (take.rng.normal(0.0, 4.0, 6) / 20.0)
    for event in take.events:
        first, last = np.searchsorted(times_s, [event.time_s, event.time_s + event.duration_s])
        if last - first < 2:
            continue
        along_m = 0.5 * _WIDTH_M * _place(event, times_s[first:last])[0]
        away_m = np.sqrt(along_m**2 + _LANE_M**2)
        # The pass is sped up so that a small frame still gives an audible Doppler shift.
        doppler = 1.0 - 2.0 * np.gradient(away_m) * take.rate_hz / _SPEED_OF_SOUND
        since_s = times_s[first:last] - event.time_s
        wail = 2.0 ** (0.35 * np.sin(2 * np.pi * event.factors["wail_hz"] * since_s))
        phase = np.cumsum(base_hz * wail * doppler) / take.rate_hz
        fade = np.clip(np.minimum(since_s, since_s[-1] - since_s) / 0.03, 0.0, 1.0)
        out[first:last] += (wave(phase, gains, take.rng) * fade * _LANE_M / away_m).astype(np.float32)
    return out


def _place(event: Event, times_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    knots = event.time_s + np.arange(len(event.factors["curve"])) / event.factors["curve_hz"]
    here = (times_s >= event.time_s) & (times_s <= event.time_s + event.duration_s)
    return np.interp(times_s, knots, event.factors["curve"]), here.astype(np.float64)


def _lamps(car: Canvas, event: Event, times_s: FloatArray, x: FloatArray, here: FloatArray, scale: float) -> None:
    high = np.sin(2 * np.pi * event.factors["wail_hz"] * (times_s - event.time_s)) > 0.0
    colours = (np.asarray([0.25, 0.45, 1.0], np.float32), np.asarray([1.0, 0.25, 0.2], np.float32))
    for on, side, colour in zip((high, ~high), (-0.06, 0.06), colours, strict=True):
        y = -0.21 * scale
        car.paint(
            disc, light(colour, 0.0), reach=0.12 * scale, x=x + side * scale, y=y, alpha=here * on, r=0.06 * scale
        )


CLASS = SoundClass(
    family="tonal",
    kind="span",
    description="A car with a siren passes by, with Doppler shift.",
    materials=("metal", "plastic", "brass", "wood"),
    heldout_material="wood",
    compose=compose,
    stage=stage,
    act=act,
    sound=sound,
    lookalike="within",
)
