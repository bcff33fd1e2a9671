"""Schedule one actor's contacts and strokes.

Impact is speed at contact: the drawn object falls from a height, or slides in a time, that gives just that speed.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from foleybench.synthesis.dice import Dice
from foleybench.synthfoley.scene import Actor

CURVE_HZ = 25.0
FALL_S = 0.2
HIGHEST = 0.5
_SLIDE_S = 0.16
_TURN_HZ = 0.55
_LAST_S = 0.06
# Contacts a second at the slowest and the fastest tempo of training, and the share after which the object lies still.
_PACES = {
    "bounce": (1.0, 2.3, 0.45),
    "hammer": (0.9, 2.2, 1.0),
    "pendulum": (0.9, 2.1, 0.2),
    "step": (1.2, 2.8, 0.0),
    "collide": (0.8, 1.8, 0.5),
    "spin": (1.2, 2.8, 0.0),
    "scrape": (1.0, 2.2, 0.0),
    "wheel": (0.7, 1.5, 0.0),
    "bow": (0.7, 1.6, 0.0),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contact:
    """One contact, silent or not, as the video shows it.

    Attributes:
        contact_s: Time of the contact.
        impact: Speed, 0 to 1.
        place: Place on the body, -1 to 1, which decides the pitch within the body.
        soft: Whether the approach comes to rest at the contact, which is silent.
        lift: Highest point before the contact, in local units.
        fall_s: Seconds that the last approach takes.
        dwell_s: Seconds that the contact lasts.
    """

    contact_s: float
    impact: float
    place: float
    soft: bool
    lift: float
    fall_s: float
    dwell_s: float

    def as_json(self) -> dict[str, Any]:
        """Return the contact as a JSON object."""
        return dict(vars(self))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stroke:
    """One stretch of rubbing or turning, silent or not, as the video shows it.

    Attributes:
        contact_s: Start in seconds.
        duration_s: Length in seconds.
        impact: Highest speed, 0 to 1.
        place: Place on the body, -1 to 1.
        off: Whether the stroke does not touch, which is silent.
        curve: Speed at ``CURVE_HZ``, 0 to ``impact``.
    """

    contact_s: float
    duration_s: float
    impact: float
    place: float
    off: bool
    curve: tuple[float, ...]


def pace_hz(mechanism: str, tempo: float) -> float:
    """Return contacts a second: geometric between slowest and fastest, and beyond.

    Example:
        >>> pace_hz("bounce", 0.0), round(pace_hz("bounce", 1.0), 6)
        (1.0, 2.3)
    """
    slowest, fastest, _ = _PACES[mechanism]
    return float(slowest * (fastest / slowest) ** tempo)


def draw_pegs(dice: Dice, soft_probability: float, silent: bool) -> list[list[float]]:
    """Return angles of pegs on a circle in cycles, increasing, each with 1 when it is long enough to be reached."""
    n = dice.choice("pegs", (3, 4))
    share = [dice.uniform(f"peg share {k}", 0.6, 1.4) for k in range(n)]
    ends = np.cumsum(share) / np.sum(share)
    reached = [not silent and not (k > 0 and dice.chance(f"peg {k} short", 1.6 * soft_probability)) for k in range(n)]
    return [[round(float(end), 4), float(ok)] for end, ok in zip(ends, reached, strict=True)]


def contacts(
    actor: Actor, mechanism: str, dice: Dice, duration_s: float, *, soft_probability: float, start_s: float
) -> list[Contact]:
    """Return an actor's contacts to the end of the clip and two more, so that motion is known to the end."""
    gap_s = 1.0 / pace_hz(mechanism, actor.tempo)
    uneven = 0.03 if actor.steady else 0.2
    found: list[Contact] = []
    time_s, before_s = start_s, gap_s
    while len(found) < 2 or found[-2].contact_s < duration_s:
        k = len(found)
        contact = _contact(actor, mechanism, dice, k, time_s, before_s, soft_probability)
        found.append(contact)
        before_s = gap_s * dice.uniform(f"gap {k}", 1.0 - uneven, 1.0 + uneven)
        if mechanism == "spin":
            before_s = _turn_s(actor.extra["pegs"], k, before_s / gap_s, gap_s)
        time_s += before_s
    return [c if mechanism != "step" else _standing(c, found, k) for k, c in enumerate(found)]


def _contact(
    actor: Actor, mechanism: str, dice: Dice, k: int, time_s: float, before_s: float, soft_probability: float
) -> Contact:
    soft = actor.silent == "soft" or (k > 0 and dice.chance(f"soft {k}", soft_probability))
    impact = dice.uniform(f"impact {k}", 0.3, 1.0)
    place = dice.uniform(f"place {k}", -1.0, 1.0)
    rests = dice.chance(f"rests {k}", _PACES[mechanism][2])
    dwell_s = dice.uniform(f"dwell {k}", 0.12, 0.35) / pace_hz(mechanism, actor.tempo) if rests else 0.0
    # At most this share of the gap is spent in contact (see dwell); rise and fall need the rest.
    free_s = 0.6 * before_s
    fall_s = min(FALL_S, 0.5 * free_s)
    lift = HIGHEST * impact * fall_s / FALL_S
    if mechanism == "collide":
        fall_s = min(_SLIDE_S / impact, 0.95 * free_s)
        impact, lift = min(1.0, _SLIDE_S / fall_s), 0.0
        place = actor.extra["stops"][k % 2]
    if mechanism == "spin":
        pegs = actor.extra["pegs"]
        step, (angle, reached) = _peg_step(pegs, k), pegs[k % len(pegs)]
        soft = not reached
        impact, lift, place = min(1.0, max(0.25, step / before_s / (1.6 * _TURN_HZ))), 0.0, 2.0 * (angle % 1.0) - 1.0
    if mechanism == "step":
        place = 0.8 * float(np.sin(2 * np.pi * (0.09 * k + actor.extra["phase"]))) + 0.2 * (-1) ** k
        lift *= 0.5
    return Contact(
        contact_s=round(time_s, 6),
        impact=round(impact, 4),
        place=round(place, 4),
        soft=bool(soft),
        lift=round(lift, 4),
        fall_s=round(fall_s, 4),
        dwell_s=round(dwell_s, 4),
    )


def _peg_step(pegs: list[list[float]], k: int) -> float:
    """Return the angle in cycles from the peg before to peg k."""
    here, before = pegs[k % len(pegs)][0], pegs[(k - 1) % len(pegs)][0]
    return (here - before) % 1.0 or 1.0


def _turn_s(pegs: list[list[float]], k: int, unevenness: float, gap_s: float) -> float:
    """Return the time from peg k to the next: proportional to the angle, apart from the unevenness."""
    return _peg_step(pegs, k + 1) * len(pegs) * gap_s * unevenness


def _standing(contact: Contact, found: list[Contact], k: int) -> Contact:
    """Let a foot stand until the other one has come down."""
    if k + 1 >= len(found):
        return contact
    return dataclasses.replace(contact, dwell_s=round(1.04 * (found[k + 1].contact_s - contact.contact_s), 4))


def strokes(
    actor: Actor, mechanism: str, dice: Dice, duration_s: float, *, off_probability: float, start_s: float
) -> list[Stroke]:
    """Return an actor's strokes; the last one is cut off by the end of the clip."""
    whole_s = 1.0 / pace_hz(mechanism, actor.tempo)
    uneven = 0.04 if actor.steady else 0.2
    quickest_s = 1.0 / _PACES[mechanism][1] / 1.45
    found: list[Stroke] = []
    time_s = start_s
    while time_s < duration_s - 0.2:
        k = len(found)
        length_s = whole_s * dice.uniform(f"stroke {k}", 1.0 - uneven, 1.0 + uneven)
        top = min(1.0, 0.25 + 0.75 * quickest_s / length_s)
        if mechanism == "wheel":
            top = dice.uniform(f"speed {k}", 0.35, 1.0)
        steps = np.arange(int(np.ceil(length_s * CURVE_HZ)) + 1) / CURVE_HZ
        values = top * np.sin(np.pi * np.clip(steps / length_s, 0.0, 1.0)) ** (0.5 if mechanism == "wheel" else 1.0)
        off = actor.silent != "" or (k > 0 and dice.chance(f"off {k}", off_probability))
        found.append(
            Stroke(
                contact_s=round(time_s, 6),
                duration_s=round(length_s, 6),
                impact=round(top, 4),
                place=round(dice.uniform(f"place {k}", -1.0, 1.0), 4),
                off=off,
                curve=tuple(round(float(v), 4) for v in values),
            )
        )
        rest_s = 0.25 * (1.0 if actor.steady else dice.uniform(f"rest {k}", 0.6, 1.4))
        time_s += length_s + rest_s
    return [stroke for stroke in found if stroke.contact_s < duration_s - _LAST_S]
