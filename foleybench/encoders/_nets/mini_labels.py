"""Name the classes and materials that sound in a clip."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

from foleybench.api.weights import require, shipped_mini
from foleybench.clips import Event

WEIGHTS = shipped_mini("mini_class")
# Log-odds from which on a name counts as sounding: a probability of one third. F1 is largest near half of its own
# largest value (Lipton et al., Optimal Thresholding of Classifiers to Maximize F1 Measure, ECML 2014).
SOUNDS = math.log(0.5)


@functools.cache
def mini_class_names() -> tuple[str, ...]:
    """Return the classes that encoder ``mini_class`` knows, in the order of its layer ``logits``."""
    return _named("classes")


@functools.cache
def mini_material_names() -> tuple[str, ...]:
    """Return the materials that encoder ``mini_class`` knows, in the order of its layer ``material_logits``."""
    return _named("materials")


def sounding_classes(events: Sequence[Event] | None, label: str) -> frozenset[str]:
    """Return the classes of a clip's audible events, on screen or off; its own label where no event states a class.

    Example:
        >>> sounding_classes([Event(time_s=1.0, label="bell"), Event(time_s=2.0, label="drum", audible=False)], "bell")
        frozenset({'bell'})
        >>> sounding_classes(None, "rain")
        frozenset({'rain'})
    """
    stated = [event for event in events or () if event.label]
    return frozenset(event.label for event in stated if event.audible) if stated else frozenset({label} - {""})


def sounding_materials(events: Sequence[Event] | None) -> frozenset[str]:
    """Return the materials of a clip's audible events, on screen or off; none where no event states one."""
    return frozenset(event.material for event in events or () if event.audible and event.material)


def _named(fact: str) -> tuple[str, ...]:
    from foleybench.encoders._nets.mini_nets import read_facts

    return tuple(read_facts(require("mini_class", WEIGHTS))[fact])
