"""Which clips a split holds, balanced over classes.

An id is split, class and a hash of (version, seed, number).
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from foleybench.errors import UnknownNameError
from foleybench.registry import unknown
from foleybench.synthesis.dice import Dice
from foleybench.synthfoley.classes import class_names, load_class
from foleybench.synthfoley.render import common_factors
from foleybench.synthfoley.spec import VERSION, ClipSpec

HELDOUT_FPS = (12.5, 24.0, 30000 / 1001, 50.0)
HELDOUT_TEMPO = (1.1, 1.45)
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
SPLITS = tuple(_LETTERS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Size:
    """A preset of the corpus.

    Attributes:
        duration_s: Length of a clip.
        long_s: Length of a clip of ``heldout_long``.
        per_class: Clips per class of every split (pairs, for ``counterfactual``).
    """

    duration_s: float
    long_s: float
    per_class: dict[str, int]


def _counts(train: int, val: int, test: int, heldout: int) -> dict[str, int]:
    return {"train": train, "val": val, "test": test, **dict.fromkeys(SPLITS[3:], heldout)}


SIZES = {
    "tiny": Size(duration_s=4.0, long_s=10.0, per_class=_counts(116, 8, 16, 4)),
    "base": Size(duration_s=10.0, long_s=20.0, per_class=_counts(1540, 77, 77, 40)),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """What the corpus was asked for.

    Attributes:
        size: Name of a size.
        seed: Seed of the corpus.
        pixels: Side of the picture.
        fps: Frames per second (of all splits but ``heldout_fps``).
        rate_hz: Sample rate.
        duration_s: Replaces the size's clip length; ``heldout_long`` keeps its ratio to it.
        difficulty: Name of a difficulty.
    """

    size: str = "tiny"
    seed: int = 0
    pixels: int = 64
    fps: float = 25.0
    rate_hz: int = 16000
    duration_s: float | None = None
    difficulty: str = "default"


def split_specs(split: str, options: Options) -> list[ClipSpec]:
    """Return the clips of a split in a fixed order that mixes the classes.

    Raises:
        UnknownNameError: No such split or size.
    """
    if split not in SPLITS:
        raise UnknownNameError(unknown("SynthFoley split", split, SPLITS))
    if options.size not in SIZES:
        raise UnknownNameError(unknown("SynthFoley size", options.size, SIZES))
    specs: list[ClipSpec] = []
    taken: set[str] = set()
    for number in range(SIZES[options.size].per_class[split]):
        for index, label in enumerate(class_names()):
            source_id = _source_id(split, index, label, number, options.seed, taken)
            base = _base_spec(split, label, number + index, source_id, options)
            specs += _pair(base, number + index) if split == "counterfactual" else [base]
    return specs


def _base_spec(split: str, label: str, turn: int, source_id: str, options: Options) -> ClipSpec:
    size = SIZES[options.size]
    duration_s = size.duration_s if options.duration_s is None else options.duration_s
    if split == "heldout_long":
        duration_s *= size.long_s / size.duration_s
    faster = split == "heldout_tempo"
    return ClipSpec(
        clip_id=f"{source_id}_000000",
        source_id=source_id,
        label=label,
        split=split,
        seed=options.seed,
        duration_s=duration_s,
        fps=HELDOUT_FPS[turn % len(HELDOUT_FPS)] if split == "heldout_fps" else options.fps,
        pixels=options.pixels,
        rate_hz=options.rate_hz,
        difficulty=options.difficulty,
        tempo_low=HELDOUT_TEMPO[0] if faster else 0.0,
        tempo_high=HELDOUT_TEMPO[1] if faster else 1.0,
        heldout_material=split == "heldout_material",
    )


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
    """Return a fresh id; a hash that is taken already (rare) is drawn again, always in the same way."""
    salts = (f"{VERSION}|{seed}|{split}|{label}|{number}|{salt}" for salt in itertools.count())
    hashes = (hashlib.sha256(salt.encode()).hexdigest()[:8] for salt in salts)
    fresh = (f"sf{_LETTERS[split]}{index:02d}{digest}" for digest in hashes)
    source_id = next(candidate for candidate in fresh if candidate not in taken)
    taken.add(source_id)
    return source_id


def chosen_splits(names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the asked-for splits in their fixed order, all of them for None.

    Raises:
        UnknownNameError: No such split.
    """
    for name in names or ():
        if name not in SPLITS:
            raise UnknownNameError(unknown("SynthFoley split", name, SPLITS))
    return SPLITS if names is None else tuple(split for split in SPLITS if split in names)
