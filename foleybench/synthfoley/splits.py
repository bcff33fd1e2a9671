"""List the clips of a split.

Splits are balanced over the classes of the main source. An id is a hash of (version, seed, split, number) and reveals
nothing; clips of all classes take turns.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from foleybench.synthesis.dice import Dice
from foleybench.synthesis.splits import CorpusOptions, CorpusSize, base_spec, require_split, size_of
from foleybench.synthfoley.cast import main_factors
from foleybench.synthfoley.classes import class_names, load_class
from foleybench.synthfoley.spec import VERSION, ClipSpec

# The test splits that tables are about; `python -m tests.datasets.test_published_splits` writes this list.
PUBLISHED = Path(__file__).with_name("published.jsonl")
CHANGES = ("material", "tempo", "size", "distance_m", "start_s")
_CHANGE_STEP = {"tempo": 0.45, "size": 0.5, "start_s": 0.12}
_MIDDLE = {"tempo": 0.5, "size": 0.5, "start_s": 1.0, "distance_m": 6.0}
_FARTHER = 1.8

SIZES = {
    "tiny": CorpusSize.of(4.0, 10.0, train=112, val=8, test=38, heldout=4),
    "base": CorpusSize.of(10.0, 20.0, train=740, val=37, test=111, heldout=19),
}


def split_specs(split: str, options: CorpusOptions) -> list[ClipSpec]:
    """Return the clips of a split in a fixed order that mixes the classes.

    Raises:
        UnknownNameError: No such split or size.
    """
    require_split(split)
    size = size_of(options, SIZES)
    names = class_names()
    specs: list[ClipSpec] = []
    for number in range(size.per_class[split] * len(names)):
        source_id, label = opaque_id(options.seed, split, number), names[number % len(names)]
        base = base_spec(ClipSpec, split, options, size, source_id=source_id, label=label, turn=_turn(number))
        specs += _pair(base, number) if split == "counterfactual" else [base]
    return specs


def _pair(base: ClipSpec, number: int) -> Iterator[ClipSpec]:
    """Yield a clip and the same clip with one factor of its main source changed; every other draw is shared."""
    name = CHANGES[_turn(number) % len(CHANGES)]
    before = main_factors(base)[name]
    after = _other(base, name, before)
    change = {"changed": name, "from": before, "to": after}
    yield dataclasses.replace(base, notes={"counterfactual": {**change, "role": "base"}})
    yield dataclasses.replace(
        base,
        clip_id=f"{opaque_id(base.seed, 'counterfactual changed', number)}_000000",
        overrides={name: after},
        notes={"counterfactual": {**change, "role": "changed"}},
    )


def _other(base: ClipSpec, name: str, before: Any) -> Any:
    if name == "material":
        sound_class = load_class(base.label)
        options = [m for m in sound_class.materials if m not in (before, sound_class.heldout_material)]
        return Dice(base.source_id).choice("other material", options)
    if name == "distance_m":
        return round(before * _FARTHER if before < _MIDDLE[name] else before / _FARTHER, 4)
    step = _CHANGE_STEP[name] if before < _MIDDLE[name] else -_CHANGE_STEP[name]
    return round(before + step, 4)


def _turn(number: int) -> int:
    """Return a number that grows by one from class to class and from clip to clip of a class."""
    return number % len(class_names()) + number // len(class_names())


def opaque_id(seed: int, split: str, number: int) -> str:
    """Return the id of a source: 12 hexadecimal digits that reveal nothing.

    Two of a few thousand agree with a probability below 1e-7; ``prepare`` would refuse the second.
    """
    return "s" + hashlib.sha256(f"{VERSION}|{seed}|{split}|{number}".encode()).hexdigest()[:12]
