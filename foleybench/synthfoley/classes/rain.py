"""Rain on a roof: more drops, more sound."""

from __future__ import annotations

import numpy as np

from foleybench.clips import AudioArray, Event, FloatArray
from foleybench.synthesis.modes import bank, lay
from foleybench.synthesis.noise import band
from foleybench.synthesis.shapes import box
from foleybench.synthfoley.canvas import Canvas
from foleybench.synthfoley.contract import Actor, Plan, SoundClass, Take
from foleybench.synthfoley.materials import MATERIALS
from foleybench.synthfoley.motion import curve_at, travelled
from foleybench.synthfoley.rhythm import smooth, spans

_DROPS_PER_S = 110.0
_GRAINS_PER_S = 220.0
_ROOF_Y = 0.32
_FALL_S = 0.34


def compose(plan: Plan) -> list[Event]:
    """Write showers with a smooth intensity."""
    base = min(1.2, 0.4 + 0.4 * plan.factors["tempo"])

    def curve(times_s: FloatArray, name: str) -> FloatArray:
        return smooth(plan, times_s, name, rate_hz=1.0, low=max(0.1, base - 0.35), high=base + 0.2)

    return spans(plan, curve=curve, ramp_s=0.3)


def stage(canvas: Canvas, actor: Actor) -> None:
    """Draw the roof."""
    if not actor.silent:
        canvas.paint(box, actor.body, reach=4.0, y=_ROOF_Y + 4.0, pattern=actor.material.pattern, hw=4.0, hh=4.0)


def act(canvas: Canvas, actor: Actor) -> None:
    """Draw streaks that fall onto the roof and splashes where they land; the look-alike is slow snow."""
    pale = np.asarray([0.85, 0.92, 1.0], dtype=np.float32)
    ink = pale if float(actor.ground.mean()) < 0.62 else np.asarray([0.15, 0.25, 0.42], dtype=np.float32)
    start_s, x, jitter = _drops(actor)
    fall_s = 4.0 * _FALL_S if actor.silent else _FALL_S
    age = actor.times_s[:, None] - start_s[None, :]
    frame, drop = np.nonzero((age >= 0.0) & (age < fall_s))
    place = age[frame, drop] / fall_s
    y = (-0.75 + place * (_ROOF_Y + 0.75)).astype(np.float32)
    size = (0.02, 0.02) if actor.silent else (0.007 + 0.011 * actor.size, 0.04 + 0.02 * actor.size)
    canvas.sprinkle(frame, x[drop], y, size, ink, 0.75)
    if actor.silent:
        return
    frame, drop = np.nonzero((age >= fall_s) & (age < fall_s + 0.09))
    splash = _ROOF_Y + 0.02 + jitter[drop]
    canvas.sprinkle(frame, x[drop], splash.astype(np.float32), (0.035, 0.010), ink, 0.7)


def sound(take: Take) -> AudioArray:
    """Play a Poisson shower of short grains that ring like the roof, over a bed of noise."""
    times_s = np.arange(int(take.duration_s * 200)) / 200.0
    amount = curve_at(take.events, times_s)
    counts = take.rng.poisson(np.minimum(amount, 1.5) * _GRAINS_PER_S / 200.0)
    onsets_s = np.repeat(times_s, counts) + take.rng.uniform(0.0, 0.005, int(counts.sum()))
    bed = band(take.n_samples, take.rate_hz, 1700.0 - 1000.0 * take.size, 6500.0, rng=take.rng)
    level = np.interp(np.arange(take.n_samples) / take.rate_hz, times_s, amount).astype(np.float32)
    return np.asarray(_grains(take, onsets_s) + np.float32(0.14) * level * bed, dtype=np.float32)


def _grains(take: Take, onsets_s: FloatArray) -> AudioArray:
    stuff, n = MATERIALS[str(take.factors["material"])], len(onsets_s)
    if n == 0:
        return np.zeros(take.n_samples, dtype=np.float32)
    drop_hz = 1100.0 * stuff.pitch * 2.0 ** (0.5 - take.size)
    freq_hz = drop_hz * 2.0 ** take.rng.normal(0.0, 0.5, (n, 1)) * np.asarray(stuff.ratios[:2])[None, :]
    decay_s = np.full(freq_hz.shape, 0.003 + 0.02 * stuff.decay_s)
    gain = take.rng.lognormal(-1.2, 0.6, (n, 1)) * np.asarray([[1.0, 0.5]])
    pieces = bank(freq_hz, decay_s, gain, n_samples=384, rate_hz=take.rate_hz, rng=take.rng)
    return lay(pieces, onsets_s, n_samples=take.n_samples, rate_hz=take.rate_hz)


def _drops(actor: Actor) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return when each drop starts to fall so that its landing follows the intensity, where, and a jitter."""
    rng = actor.dice.generator("drops")
    end_s = float(actor.times_s[-1]) + _FALL_S + 1.0
    grid = np.arange(int(end_s * 100) + 2) / 100.0
    amount = travelled(actor.events, grid) * _DROPS_PER_S * (0.4 if actor.silent else 1.0)
    n = int(amount[-1])
    order = np.arange(n) + rng.uniform(0.0, 1.0, n)
    land_s = np.interp(order, amount, grid)
    return land_s - _FALL_S, rng.uniform(-0.85, 0.85, n), rng.uniform(0.0, 0.12, n)


CLASS = SoundClass(
    family="continuous",
    kind="span",
    description="Rain of changing intensity falls on a roof.",
    materials=("metal", "stone", "leaf", "glass", "plastic"),
    heldout_material="glass",
    compose=compose,
    stage=stage,
    act=act,
    sound=sound,
    lookalike="within",
)
