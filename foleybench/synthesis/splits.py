"""Define the splits and sizes that procedural corpora share."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

from foleybench.errors import UnknownNameError, unknown
from foleybench.synthesis.clip_spec import CorpusClip

SPLITS = (
    *("train", "val", "test"),
    *("heldout_material", "heldout_tempo", "heldout_fps", "heldout_long"),
    "counterfactual",
)
HELDOUT_FPS = (12.5, 24.0, 30000 / 1001, 50.0)
HELDOUT_TEMPO = (1.1, 1.45)
_Spec = TypeVar("_Spec", bound=CorpusClip)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CorpusSize:
    """A preset of a corpus.

    Attributes:
        duration_s: Length of a clip.
        long_s: Length of a clip of ``heldout_long``.
        per_class: Clips per class of every split (pairs, for ``counterfactual``).
    """

    duration_s: float
    long_s: float
    per_class: dict[str, int]

    @classmethod
    def of(cls, duration_s: float, long_s: float, *, train: int, val: int, test: int, heldout: int) -> CorpusSize:
        """Return a preset with equally many clips per class in each split that is not for training."""
        per_class = {"train": train, "val": val, "test": test, **dict.fromkeys(SPLITS[3:], heldout)}
        return cls(duration_s=duration_s, long_s=long_s, per_class=per_class)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CorpusOptions:
    """The options of a corpus.

    Attributes:
        size: Name of a size.
        seed: Seed of the corpus.
        pixels: Side of a frame.
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


def require_split(split: str) -> None:
    """Raise ``UnknownNameError`` when there is no such split."""
    if split not in SPLITS:
        raise UnknownNameError(unknown("SynthFoley split", split, SPLITS))


def size_of(options: CorpusOptions, sizes: dict[str, CorpusSize]) -> CorpusSize:
    """Return the size that was asked for.

    Raises:
        UnknownNameError: No such size.
    """
    if options.size not in sizes:
        raise UnknownNameError(unknown("SynthFoley size", options.size, sizes))
    return sizes[options.size]


def base_spec(
    kind: type[_Spec], split: str, options: CorpusOptions, size: CorpusSize, *, source_id: str, label: str, turn: int
) -> _Spec:
    """Return a clip of a split; for a counterfactual pair, the unchanged clip.

    Args:
        kind: The corpus's own spec.
        split: Name of the split.
        options: The corpus's options.
        size: The size of the options.
        source_id: Id that seeds every draw.
        label: Class of the clip.
        turn: Number of the clip, by which held-out frame rates take turns.
    """
    duration_s = size.duration_s if options.duration_s is None else options.duration_s
    if split == "heldout_long":
        duration_s *= size.long_s / size.duration_s
    faster = split == "heldout_tempo"
    return kind(
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


def chosen_splits(names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the asked-for splits in their fixed order, all of them for None.

    Raises:
        UnknownNameError: No such split.
    """
    for name in names or ():
        require_split(name)
    return SPLITS if names is None else tuple(split for split in SPLITS if split in names)
