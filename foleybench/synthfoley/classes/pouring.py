"""Water poured into a vessel, whose resonance rises while it fills."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray, Event, FloatArray
from foleybench.synthesis.modes import bank, lay
from foleybench.synthesis.noise import band
from foleybench.synthesis.shapes import box, trapezoid
from foleybench.synthfoley.canvas import Canvas
from foleybench.synthfoley.contract import Actor, Plan, SoundClass, Take
from foleybench.synthfoley.marks import floor, light
from foleybench.synthfoley.materials import MATERIALS
from foleybench.synthfoley.motion import curve_at, travelled
from foleybench.synthfoley.rhythm import smooth, spans

_FLOOR_Y = 0.42
_RIM_Y = 0.0
_GRAINS_PER_S = 160.0
_WATER = np.asarray([0.25, 0.55, 0.9], dtype=np.float32)


def compose(plan: Plan) -> list[Event]:
    """Write pours with a smooth flow."""
    base = min(1.2, 0.45 + 0.35 * plan.factors["tempo"])

    def curve(times_s: FloatArray, name: str) -> FloatArray:
        return smooth(plan, times_s, name, rate_hz=0.8, low=max(0.15, base - 0.25), high=base + 0.2)

    return spans(plan, curve=curve, pause=0.7, ramp_s=0.15)


def stage(canvas: Canvas, actor: Actor) -> None:
    """Draw the table."""
    if not actor.silent:
        floor(canvas, actor.ground, _FLOOR_Y)


def act(canvas: Canvas, actor: Actor) -> None:
    """Draw the jug, tilted while it pours, the stream, and the rising water; the look-alike's jug is empty."""
    flow = curve_at(actor.events, actor.times_s)
    half = 0.13 + 0.06 * actor.size
    pouring = np.clip(flow / 0.15, 0.0, 1.0)
    canvas.paint(
        trapezoid,
        actor.body,
        reach=0.24,
        x=-0.24,
        y=-0.3,
        angle=0.35 + 0.75 * pouring,
        pattern=actor.material.pattern,
        top=0.11,
        bottom=0.15,
        hh=0.15,
    )
    if not actor.silent:
        level = _fullness(actor.events, actor.factors, actor.times_s)
        depth = 0.5 * (_FLOOR_Y - _RIM_Y - 0.04) * level
        surface = _FLOOR_Y - 0.03 - 2 * depth
        stream_h = 0.5 * (surface + 0.28)
        ripple = 0.006 * np.sin(40.0 * actor.times_s)
        canvas.paint(
            box, _WATER, reach=0.4, x=ripple, y=-0.28 + stream_h, alpha=pouring, hw=0.012 + 0.02 * flow, hh=stream_h
        )
        canvas.paint(box, _WATER, reach=0.25, y=surface + depth, hw=half, hh=depth)
    wall_h = 0.5 * (_FLOOR_Y - _RIM_Y)
    for side in (-1.0, 1.0):
        canvas.paint(box, actor.body, reach=0.24, x=side * (half + 0.015), y=_RIM_Y + wall_h, hw=0.022, hh=wall_h)
    canvas.paint(box, light(actor.body, -0.1), reach=0.25, y=_FLOOR_Y - 0.015, hw=half + 0.03, hh=0.02)


def sound(take: Take) -> AudioArray:
    """Play bubbles whose pitch is the vessel's rising resonance, and the hiss of the stream."""
    grid = np.arange(int(take.duration_s * 200)) / 200.0
    flow = curve_at(take.events, grid)
    counts = take.rng.poisson(np.minimum(flow, 1.5) * _GRAINS_PER_S / 200.0)
    onsets_s = np.repeat(grid, counts) + take.rng.uniform(0.0, 0.005, int(counts.sum()))
    hiss = band(take.n_samples, take.rate_hz, 900.0, 4000.0, rng=take.rng)
    level = np.interp(np.arange(take.n_samples) / take.rate_hz, grid, flow).astype(np.float32)
    return np.asarray(_bubbles(take, onsets_s) + np.float32(0.10) * level * hiss, dtype=np.float32)


def _bubbles(take: Take, onsets_s: FloatArray) -> AudioArray:
    n = len(onsets_s)
    if n == 0:
        return np.zeros(take.n_samples, dtype=np.float32)
    level = _fullness(take.events, take.factors, onsets_s)
    # A closed pipe: the shorter the air column, the higher the tone.
    air_hz = 260.0 * 2.0 ** (take.rng.normal(0.0, 0.1) - 0.8 * (take.size - 0.5)) / (1.15 - level)
    stuff = MATERIALS[str(take.factors["material"])]
    spread = 2.0 ** take.rng.normal(0.0, 0.12, (n, 2))
    freq_hz = np.stack([air_hz, 2.9 * air_hz * stuff.pitch**0.5], axis=1) * spread
    decay_s = np.asarray([[0.018, 0.006 + 0.05 * stuff.decay_s]]) * np.ones((n, 1))
    gain = take.rng.lognormal(-1.0, 0.5, (n, 1)) * np.asarray([[1.0, 0.45]])
    pieces = bank(freq_hz, decay_s, gain, n_samples=1024, rate_hz=take.rate_hz, rng=take.rng)
    return lay(pieces, onsets_s, n_samples=take.n_samples, rate_hz=take.rate_hz)


def _fullness(events: tuple[Event, ...], factors: dict[str, object], times_s: FloatArray) -> FloatArray:
    """Return the vessel's filling, 0.08 to 1: small vessels fill sooner; none overflows."""
    size = float(str(factors["size"]))
    order = np.argsort(times_s, kind="stable")
    poured = np.empty(len(times_s))
    poured[order] = travelled(events, times_s[order])
    return 1.0 - 0.92 * np.exp(-poured / (1.2 + 0.8 * size))


CLASS = SoundClass(
    family="continuous",
    kind="span",
    description="A jug pours water into a vessel, whose tone rises as it fills.",
    materials=("glass", "metal", "plastic", "stone"),
    heldout_material="metal",
    compose=compose,
    stage=stage,
    act=act,
    sound=sound,
)
