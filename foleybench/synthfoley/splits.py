"""List the clips of a split, balanced over classes.

An id is split, class and a hash of (version, seed, number).
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Iterator
from typing import Any

from foleybench.synthesis.dice import Dice
from foleybench.synthesis.splits import CorpusOptions, CorpusSize, base_spec, require_split, size_of
from foleybench.synthfoley.classes import class_names, load_class
from foleybench.synthfoley.render import common_factors
from foleybench.synthfoley.spec import VERSION, ClipSpec

CHANGES = ("material", "tempo", "size", "distance_m", "start_s")
_CHANGE_STEP = {"tempo": 0.45, "size": 0.5, "distance_m": 0.8, "start_s": 0.12}
_MIDDLE = {"tempo": 0.5, "size": 0.5, "distance_m": 1.75, "start_s": 1.0}
_LETTERS = {
    "train": "t",
    "val": "v",
    "test": "e",
    "heldout_material": "m",
    "heldout_tempo": "p",
    "heldout_fps": "f",
    "heldout_long": "l",
    "counterfactual": "c",
}


SIZES = {
    "tiny": CorpusSize.of(4.0, 10.0, train=116, val=8, test=16, heldout=4),
    "base": CorpusSize.of(10.0, 20.0, train=1540, val=77, test=77, heldout=40),
}


def split_specs(split: str, options: CorpusOptions) -> list[ClipSpec]:
    """Return the clips of a split in a fixed order that mixes the classes.

    Raises:
        UnknownNameError: No such split or size.
    """
    require_split(split)
    size = size_of(options, SIZES)
    specs: list[ClipSpec] = []
    taken: set[str] = set()
    for number in range(size.per_class[split]):
        for index, label in enumerate(class_names()):
            source_id = _source_id(split, index, label, number, options.seed, taken)
            turn = number + index
            base = base_spec(ClipSpec, split, options, size, source_id=source_id, label=label, turn=turn)
            specs += _pair(base, turn) if split == "counterfactual" else [base]
    return specs


def _pair(base: ClipSpec, turn: int) -> Iterator[ClipSpec]:
    """Yield a clip and the same clip with one factor changed; every other draw is shared."""
    factors = common_factors(base)
    name = CHANGES[turn % len(CHANGES)]
    before = factors[name]
    after = _other(base, name, before)
    change = {"changed": name, "from": before, "to": after}
    yield dataclasses.replace(base, notes={"counterfactual": {**change, "role": "base"}})
    yield dataclasses.replace(
        base,
        clip_id=f"{base.source_id}_000001",
        overrides={name: after},
        notes={"counterfactual": {**change, "role": "changed"}},
    )


def _other(base: ClipSpec, name: str, before: Any) -> Any:
    if name == "material":
        sound_class = load_class(base.label)
        options = [m for m in sound_class.materials if m not in (before, sound_class.heldout_material)]
        return Dice(base.source_id).choice("other material", options)
    step = _CHANGE_STEP[name] if before < _MIDDLE[name] else -_CHANGE_STEP[name]
    return round(before + step, 4)


def _source_id(split: str, index: int, label: str, number: int, seed: int, taken: set[str]) -> str:
    """Return a fresh id; a hash already in use (rare) is drawn again, always in the same way."""
    salts = (f"{VERSION}|{seed}|{split}|{label}|{number}|{salt}" for salt in itertools.count())
    hashes = (hashlib.sha256(salt.encode()).hexdigest()[:8] for salt in salts)
    fresh = (f"sf{_LETTERS[split]}{index:02d}{digest}" for digest in hashes)
    source_id = next(candidate for candidate in fresh if candidate not in taken)
    taken.add(source_id)
    return source_id
