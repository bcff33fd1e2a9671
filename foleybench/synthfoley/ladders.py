"""Ladders of known quality: audio from true events made worse.

Every step of a ladder takes the true events of a clip, changes them by a stated amount, and plays the changed list
with a draw of its own of everything that the list does not say. The choice of what is changed is nested: what is
changed at a mild step is changed alike at every stronger one, so steps differ in nothing but their strength.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from foleybench.clips import AudioArray, Event
from foleybench.errors import UnknownNameError, unknown
from foleybench.synthesis.dice import Dice
from foleybench.synthfoley.classes import class_names, load_class
from foleybench.synthfoley.materials import MATERIALS, draw_substance, typical
from foleybench.synthfoley.play import synthesise
from foleybench.synthfoley.spec import ClipSpec

Change = Callable[[Event, float, Dice], Sequence[Event]]
_SHARES = (0.05, 0.1, 0.2, 0.4)
# The farthest wrong pitch: an octave less a semitone.
_FARTHEST_SEMITONES = 11.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ladder:
    """One way to make sound worse by a known amount.

    Attributes:
        title: For people.
        unit: Of the steps.
        steps: From mild to strong.
        change: From (event, step, draws of that event) to the events that stand in its place.
    """

    title: str
    unit: str
    steps: tuple[float, ...]
    change: Change


def play_changed(spec: ClipSpec, events: Sequence[Event], name: str, step: float) -> AudioArray:
    """Make the sound of one step of a ladder.

    Args:
        spec: The clip.
        events: Its true events.
        name: Which ladder.
        step: How strong; 0 plays the true events with another draw.

    Returns:
        Shape (samples of the clip,), float32, as ``synthesise`` makes it.

    Raises:
        UnknownNameError: No such ladder.
    """
    if name not in LADDERS:
        raise UnknownNameError(unknown("ladder", name, LADDERS))
    dice = spec.dice.branch(f"ladder {name}")
    made: list[Event] = []
    for place, event in enumerate(events):
        own = dice.branch(str(place))
        made += LADDERS[name].change(event, step, own) if event.audible and step else [event]
    made.sort(key=lambda event: (event.time_s, event.source))
    return synthesise(made, spec.duration_s, spec.rate_hz, spec.dice.generator("another take"))


def _jitter(event: Event, step: float, dice: Dice) -> list[Event]:
    late_s = step * float(dice.generator("late").standard_normal())
    return [dataclasses.replace(event, time_s=max(0.0, event.time_s + late_s))]


def _late(event: Event, step: float, dice: Dice) -> list[Event]:
    return [dataclasses.replace(event, time_s=event.time_s + step)]


def _missing(event: Event, step: float, dice: Dice) -> list[Event]:
    return [] if dice.chance("chosen", step) else [event]


def _added(event: Event, step: float, dice: Dice) -> list[Event]:
    """One more like it, within 0.15 to 0.5 s before or after."""
    if not dice.chance("chosen", step):
        return [event]
    away_s = dice.uniform("away", 0.15, 0.5) * (1.0 if event.time_s < 0.5 or dice.chance("after", 0.5) else -1.0)
    return [event, dataclasses.replace(event, time_s=event.time_s + away_s)]


def _strength(event: Event, step: float, dice: Dice) -> list[Event]:
    wrong = dataclasses.replace(event, strength=round(dice.uniform("strength", 0.1, 1.0), 4))
    return [wrong if dice.chance("chosen", step) else event]


def _pitch(event: Event, step: float, dice: Dice) -> list[Event]:
    semitones = dice.uniform("semitones", 1.0, _FARTHEST_SEMITONES) * (1.0 if dice.chance("up", 0.5) else -1.0)
    return [transposed(event, semitones) if dice.chance("chosen", step) else event]


def transposed(event: Event, semitones: float) -> Event:
    """Return an event that sounds higher by so many semitones and states its old pitch."""
    higher = event.factors["base_hz"] * 2.0 ** (semitones / 12.0)
    return dataclasses.replace(event, factors={**event.factors, "base_hz": higher})


def _material(event: Event, step: float, dice: Dice) -> list[Event]:
    """Ring, tilt, noise and pitch of another material in place of its own."""
    if not dice.chance("chosen", step):
        return [event]
    name = dice.choice("material", [one for one in sorted(MATERIALS) if one != event.material])
    old, new = typical(event.material), draw_substance(name, dice)
    factors = dict(event.factors)
    factors["tilt"] += new.tilt - old.tilt
    factors["noise"] *= new.noise / old.noise
    struck = event.kind == "onset"
    factors["decay_s" if struck else "ring"] *= new.ring / old.ring
    # As in compose: what is rubbed follows its material's pitch by half.
    factors["base_hz"] *= (new.pitch / old.pitch) ** (1.0 if struck else 0.5)
    return [dataclasses.replace(event, material=name, factors=factors)]


def _class(event: Event, step: float, dice: Dice) -> list[Event]:
    """Another class of the same kind, struck or rubbed at the same time and as hard."""
    if not dice.chance("chosen", step):
        return [event]
    kind = load_class(event.label).kind
    others = [name for name in class_names() if name != event.label and load_class(name).kind == kind]
    wrong = dice.choice("class", others)
    return [dataclasses.replace(event, label=wrong, source=f"{event.source} {wrong}")]


LADDERS = {
    "jitter": Ladder(
        title="Time jitter", unit="s (standard deviation)", steps=(0.005, 0.01, 0.02, 0.04, 0.08), change=_jitter
    ),
    "late": Ladder(title="Late", unit="s", steps=(0.005, 0.01, 0.02, 0.04, 0.08), change=_late),
    "missing": Ladder(title="Events missing", unit="share of events", steps=_SHARES, change=_missing),
    "added": Ladder(title="Events added", unit="share of events", steps=_SHARES, change=_added),
    "strength": Ladder(title="Wrong strength", unit="share of events", steps=_SHARES, change=_strength),
    "pitch": Ladder(title="Wrong pitch", unit="share of events", steps=_SHARES, change=_pitch),
    "material": Ladder(title="Wrong material", unit="share of events", steps=_SHARES, change=_material),
    "class": Ladder(title="Wrong class", unit="share of events", steps=_SHARES, change=_class),
}
