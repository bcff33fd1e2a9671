"""Which clips a split holds.

Balanced over the classes of the main source.

An id is a hash of (version, seed, split, number) and says nothing; clips of all classes take turns.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from foleybench.errors import UnknownNameError
from foleybench.registry import unknown
from foleybench.synthesis.dice import Dice
from foleybench.synthfoley2.cast import main_factors
from foleybench.synthfoley2.classes import class_names, load_class
from foleybench.synthfoley2.spec import VERSION, ClipSpec

HELDOUT_FPS = (12.5, 24.0, 30000 / 1001, 50.0)
HELDOUT_TEMPO = (1.1, 1.45)
CHANGES = ("material", "tempo", "size", "distance_m", "start_s")
_CHANGE_STEP = {"tempo": 0.45, "size": 0.5, "start_s": 0.12}
_MIDDLE = {"tempo": 0.5, "size": 0.5, "start_s": 1.0, "distance_m": 6.0}
_FARTHER = 1.8
SPLITS = (
    "train",
    "val",
    "test",
    "heldout_material",
    "heldout_tempo",
    "heldout_fps",
    "heldout_long",
    "counterfactual",
)


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
    "tiny": Size(duration_s=4.0, long_s=10.0, per_class=_counts(112, 8, 38, 4)),
    "base": Size(duration_s=10.0, long_s=20.0, per_class=_counts(740, 37, 111, 19)),
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
    names = class_names()
    specs: list[ClipSpec] = []
    for number in range(SIZES[options.size].per_class[split] * len(names)):
        base = _base_spec(split, number, options)
        specs += _pair(base, number) if split == "counterfactual" else [base]
    return specs


def _base_spec(split: str, number: int, options: Options) -> ClipSpec:
    size, names = SIZES[options.size], class_names()
    duration_s = size.duration_s if options.duration_s is None else options.duration_s
    if split == "heldout_long":
        duration_s *= size.long_s / size.duration_s
    faster = split == "heldout_tempo"
    source_id = opaque_id(options.seed, split, number)
    return ClipSpec(
        clip_id=f"{source_id}_000000",
        source_id=source_id,
        label=names[number % len(names)],
        split=split,
        seed=options.seed,
        duration_s=duration_s,
        fps=HELDOUT_FPS[_turn(number) % len(HELDOUT_FPS)] if split == "heldout_fps" else options.fps,
        pixels=options.pixels,
        rate_hz=options.rate_hz,
        difficulty=options.difficulty,
        tempo_low=HELDOUT_TEMPO[0] if faster else 0.0,
        tempo_high=HELDOUT_TEMPO[1] if faster else 1.0,
        heldout_material=split == "heldout_material",
    )


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
    """Return the id of a source: 12 hexadecimal digits that say nothing.

    Two of a few thousand agree with a probability below 1e-7; ``prepare`` would refuse the second.
    """
    return "s" + hashlib.sha256(f"{VERSION}|{seed}|{split}|{number}".encode()).hexdigest()[:12]


def chosen_splits(names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the asked-for splits in their fixed order, all of them for None.

    Raises:
        UnknownNameError: No such split.
    """
    for name in names or ():
        if name not in SPLITS:
            raise UnknownNameError(unknown("SynthFoley split", name, SPLITS))
    return SPLITS if names is None else tuple(split for split in SPLITS if split in names)
