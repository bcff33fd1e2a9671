"""Define the classes: each a mechanism with a voice.

Classes of one mechanism share their silhouette.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Literal

from foleybench.errors import UnknownNameError, unknown
from foleybench.synthfoley.voices import BODIES, RUBS

_HARD = ("wood", "metal", "glass", "plastic", "stone")
_SKIN = ("rubber", "plastic", "wood", "metal")
_TINS = ("metal", "plastic", "stone", "ceramic")
_BELLS = ("metal", "glass", "ceramic", "wood")
_RUBBED = ("wood", "metal", "stone", "plastic")
# Voices of every mechanism, each with its materials; training never shows the last material in that class.
_CAST: dict[str, dict[str, tuple[str, ...]]] = {
    "bounce": {"bar": _HARD, "drum": _SKIN, "tin": _TINS},
    "hammer": {"bar": ("wood", "metal", "stone", "plastic", "glass"), "bell": _BELLS, "drum": _SKIN},
    "pendulum": {"bell": ("metal", "wood", "ceramic", "glass"), "tube": _HARD, "tin": _TINS},
    "step": {"bar": ("wood", "stone", "plastic", "glass", "metal"), "drum": _SKIN, "tube": _HARD},
    "collide": {"bar": ("metal", "glass", "plastic", "stone", "wood"), "bell": _BELLS, "tin": _TINS},
    "spin": {"tube": ("plastic", "metal", "glass", "stone", "wood"), "bell": _BELLS, "tin": _TINS},
    "scrape": {"rough": _RUBBED, "ridge": _RUBBED, "squeal": ("metal", "glass", "stone", "plastic")},
    "wheel": {"card": _RUBBED, "brush": _RUBBED, "reed": ("wood", "plastic", "metal", "glass")},
    "bow": {"string": ("metal", "plastic", "wood", "glass"), "saw": _BELLS, "hoarse": _RUBBED},
}
_SEEN = {
    "bounce": "A ball falls on a wedge, rebounds or lies still, and is thrown again",
    "hammer": "A hammer falls on a wedge, rests there, and is raised again",
    "pendulum": "A bob swings against a standing wedge and rebounds",
    "step": "Two legs walk to and fro on a board",
    "collide": "A block slides on a rail from one stop to the other",
    "spin": "A hand turns and passes pegs on a circle",
    "scrape": "A block is dragged to and fro on a board, or carried above it",
    "wheel": "A spoked wheel turns by fits and starts beside a tongue",
    "bow": "A bow moves to and fro on a string, or beside it",
}
_SPANS = ("scrape", "wheel", "bow")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SoundClass:
    """One class.

    Attributes:
        name: ``<mechanism>_<voice>``.
        mechanism: The visible part: a name of ``mechanisms``.
        voice: The audible part: a body that is struck, or a way of rubbing.
        kind: Kind of its events.
        tonal: Whether its events state a pitch.
        materials: Materials of the class.
        heldout_material: The material that training never shows in this class.
        number: Place among the classes of its mechanism, 0 to 2; the mark on its body.
        description: Sentence on video and audio, for tables.
    """

    name: str
    mechanism: str
    voice: str
    kind: Literal["onset", "span"]
    tonal: bool
    materials: tuple[str, ...]
    heldout_material: str
    number: int
    description: str


@functools.lru_cache(maxsize=1)
def classes() -> dict[str, SoundClass]:
    """Return all classes by name, sorted.

    Example:
        >>> len(classes()), classes()["hammer_bell"].voice
        (27, 'bell')
    """
    found = {}
    for mechanism, voices in _CAST.items():
        for number, (voice, materials) in enumerate(voices.items()):
            name = f"{mechanism}_{voice}"
            span = mechanism in _SPANS
            found[name] = SoundClass(
                name=name,
                mechanism=mechanism,
                voice=voice,
                kind="span" if span else "onset",
                tonal=RUBS[voice].tonal if span else BODIES[voice].tonal,
                materials=materials,
                heldout_material=materials[-1],
                number=number,
                description=f"{_SEEN[mechanism]}; it sounds like a {voice}.",
            )
    return dict(sorted(found.items()))


def class_names() -> tuple[str, ...]:
    """Return the names of all classes, sorted."""
    return tuple(classes())


def load_class(name: str) -> SoundClass:
    """Return a class by name.

    Raises:
        UnknownNameError: No such class.
    """
    if name not in classes():
        raise UnknownNameError(unknown("SynthFoley class", name, class_names()))
    return classes()[name]
