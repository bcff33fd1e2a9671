"""Draw a clip's sources, silent movers and their places."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from foleybench.synthesis.dice import Dice
from foleybench.synthfoley.classes import class_names, load_class
from foleybench.synthfoley.difficulty import Difficulty, preset
from foleybench.synthfoley.materials import draw_substance
from foleybench.synthfoley.scene import Actor, Silence
from foleybench.synthfoley.schedule import draw_pegs
from foleybench.synthfoley.spec import ClipSpec

MOST_ACTORS = 4
_NEAREST_M = 1.5
_DEPTH = 20.0
_NEAR, _FAR = (0.0, 0.4), (0.6, 1.0)
_NAMES = "abcd"


@dataclasses.dataclass(frozen=True)
class _Role:
    """A role in the scene: its class, and why it is silent if it is."""

    label: str
    silent: Silence


def main_factors(spec: ClipSpec) -> dict[str, Any]:
    """Return the factors of the main source that counterfactual pairs change, without composing anything."""
    sound_class, dice = load_class(spec.label), spec.dice
    seen = [name for name in sound_class.materials if name != sound_class.heldout_material]
    near = dice.chance("near", 0.6)
    depth = dice.uniform("depth", *(_NEAR if near else _FAR))
    return {
        "material": dice.choice("material", [sound_class.heldout_material] if spec.heldout_material else seen),
        "size": round(dice.uniform("size", 0.0, 1.0), 4),
        "tempo": round(dice.uniform("tempo", spec.tempo_low, spec.tempo_high), 4),
        "distance_m": round(_fixed(spec, "distance_m", _NEAREST_M * _DEPTH**depth), 4),
        "start_s": round(dice.uniform("start_s", 0.1, 0.5), 4),
    }


def draw_cast(spec: ClipSpec) -> tuple[Actor, ...]:
    """Return everything that moves in a clip: the main source, other sources, silent movers."""
    hard, dice = preset(spec.difficulty), spec.dice
    roles = _roles(spec, hard)
    hidden = dice.chance("hide", hard.hide_probability)
    columns = [0, 1] if dice.chance("main left", 0.5) else [1, 0]
    near = dice.chance("near", 0.6)
    # One in each quarter: near ones in the lower half, far ones in the upper half; the main source first.
    quarters = [(columns[0], near), (columns[1], not near), (columns[1], near), (columns[0], not near)]
    cast = []
    for number, (role, (column, is_near)) in enumerate(zip(roles, quarters, strict=False)):
        own = dice if number == 0 else dice.branch(f"actor {number}")
        factors = main_factors(spec) if number == 0 else _other_factors(spec, role.label, own, is_near)
        cast.append(
            _actor(_NAMES[number], role, factors, own, hard, column=column, steady=hidden, alone=len(roles) == 1)
        )
    return tuple(cast)


def _roles(spec: ClipSpec, hard: Difficulty) -> list[_Role]:
    dice = spec.dice
    roles = [_Role(spec.label, "")]
    if dice.chance("second", hard.second_probability):
        roles.append(_Role(_another(dice, "second class", roles), ""))
        if dice.chance("third", hard.third_probability):
            roles.append(_Role(_another(dice, "third class", roles), ""))
    if dice.chance("silent", hard.silent_probability):
        roles.append(_silent(dice, "silent", roles))
        if len(roles) < MOST_ACTORS and dice.chance("silent again", hard.silent_again_probability):
            roles.append(_silent(dice, "silent again", roles))
    return roles


def _another(dice: Dice, name: str, roles: list[_Role]) -> str:
    """Return a class of a mechanism that the scene does not have yet."""
    taken = {load_class(role.label).mechanism for role in roles}
    return dice.choice(name, [label for label in class_names() if load_class(label).mechanism not in taken])


def _silent(dice: Dice, name: str, roles: list[_Role]) -> _Role:
    """Return a silent mover; half of these look like a source of the clip."""
    like = dice.chance(f"{name} like", 0.5)
    label = dice.choice(f"{name} class", [role.label for role in roles] if like else list(class_names()))
    mechanism = load_class(label).mechanism
    gentle = load_class(label).kind == "onset" and mechanism != "spin" and dice.chance(f"{name} soft", 0.5)
    return _Role(label, "soft" if gentle else "miss")


def _other_factors(spec: ClipSpec, label: str, dice: Dice, near: bool) -> dict[str, Any]:
    sound_class = load_class(label)
    seen = [name for name in sound_class.materials if name != sound_class.heldout_material]
    depth = dice.uniform("depth", *(_NEAR if near else _FAR))
    return {
        "material": dice.choice("material", seen),
        "size": round(dice.uniform("size", 0.0, 1.0), 4),
        "tempo": round(dice.uniform("tempo", spec.tempo_low, spec.tempo_high), 4),
        "distance_m": round(_NEAREST_M * _DEPTH**depth, 4),
        "start_s": round(dice.uniform("start_s", 0.1, 0.6), 4),
    }


def _actor(
    name: str,
    role: _Role,
    factors: dict[str, Any],
    dice: Dice,
    hard: Difficulty,
    *,
    column: int,
    steady: bool,
    alone: bool,
) -> Actor:
    depth = _depth(factors["distance_m"])
    scale = (0.75 if alone else 0.5) * (1.0 - 0.35 * depth) * dice.uniform("scale", 0.92, 1.1)
    substance = draw_substance(factors["material"], dice)
    extra: dict[str, Any] = {}
    mechanism = load_class(role.label).mechanism
    if mechanism == "spin":
        extra["pegs"] = draw_pegs(dice, hard.soft_probability, role.silent != "")
    if mechanism == "collide":
        extra["stops"] = [
            round(dice.uniform("stop left", -1.0, -0.2), 4),
            round(dice.uniform("stop right", 0.2, 1.0), 4),
        ]
    if mechanism == "step":
        extra["phase"] = round(dice.uniform("phase", 0.0, 1.0), 4)
    return Actor(
        name=name,
        label=role.label,
        x=round(0.5 + (0.1 if alone else 0.22) * (-1 if column == 0 else 1) + dice.uniform("x", -0.05, 0.05), 4),
        y=round(0.73 - 0.42 * depth + dice.uniform("y", -0.02, 0.02), 4),
        scale=round(scale, 4),
        mirror=-1 if dice.chance("mirror", 0.5) else 1,
        silent=role.silent,
        steady=steady,
        stiffness=substance.stiffness,
        density=substance.density,
        ring=substance.ring,
        tilt=substance.tilt,
        noise=substance.noise,
        pitch=round(substance.pitch, 4),
        tint=(
            round(dice.uniform("tint r", 0.1, 0.9), 4),
            round(dice.uniform("tint g", 0.1, 0.9), 4),
            round(dice.uniform("tint b", 0.1, 0.9), 4),
        ),
        extra=extra,
        **factors,
    )


def _depth(distance_m: float) -> float:
    """Return 0 for the nearest and 1 for the farthest distance.

    Example:
        >>> _depth(1.5), _depth(30.0)
        (0.0, 1.0)
    """
    return math.log(distance_m / _NEAREST_M) / math.log(_DEPTH)


def _fixed(spec: ClipSpec, name: str, drawn: float) -> float:
    return float(spec.overrides.get(name, drawn))
