"""Specify a clip by everything that its bytes depend on."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Self

from foleybench.errors import FoleyError
from foleybench.synthesis.dice import Dice

# The canvas takes 12 bytes for each of these.
_MOST_PIXELS = 1e8


@dataclasses.dataclass(frozen=True, kw_only=True)
class CorpusClip:
    """One clip to make. Same spec, same version: same bytes.

    Each corpus derives its own spec, which states the version.

    Attributes:
        clip_id: Id of the clip, ``<source id>_<six digits>``.
        source_id: Id that seeds every draw; the two clips of a counterfactual pair share it.
        label: Class of the clip, where it has several sources of the main one.
        split: Name of the split.
        seed: Seed of the corpus.
        duration_s: Length in seconds, 1 to 600.
        fps: Frames per second.
        pixels: Side of the square frame, 32 to 224, even.
        rate_hz: Sample rate of the audio.
        difficulty: Name of a difficulty.
        tempo_low: Lower end of the tempo, 0 for the slowest seen in training.
        tempo_high: Upper end, 1 for the fastest seen in training, more for held-out tempos.
        heldout_material: Whether the main source is made of its class's held-out material.
        overrides: Draws of the main source fixed to a value: the changed factor of a counterfactual.
        notes: Facts that the clip's factors repeat.
    """

    version: ClassVar[int]

    clip_id: str
    source_id: str
    label: str
    split: str
    seed: int = 0
    duration_s: float = 4.0
    fps: float = 25.0
    pixels: int = 64
    rate_hz: int = 16000
    difficulty: str = "default"
    tempo_low: float = 0.0
    tempo_high: float = 1.0
    heldout_material: bool = False
    overrides: dict[str, Any] = dataclasses.field(default_factory=dict)
    notes: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 32 <= self.pixels <= 224 or self.pixels % 2:
            raise FoleyError(f"SynthFoley draws 32 to 224 pixels, even; {self.pixels} was asked for. Change --pixels.")
        if not 1.0 <= self.duration_s <= 600.0:
            raise FoleyError(
                f"SynthFoley makes clips of 1 to 600 s; {self.duration_s} was asked for. Change --seconds."
            )
        if not 5.0 <= self.fps <= 120.0:
            raise FoleyError(f"SynthFoley draws 5 to 120 frames per second; {self.fps} was asked for. Change --fps.")
        if self.duration_s * self.fps * self.pixels**2 > _MOST_PIXELS:
            wanted = f"{self.duration_s} s at {self.fps} frames per second and {self.pixels} pixels"
            raise FoleyError(
                f"SynthFoley draws a clip in memory; {wanted} is too much. Make --seconds or --pixels less."
            )
        if not 8000 <= self.rate_hz <= 48000:
            raise FoleyError(
                f"SynthFoley makes audio at 8000 to 48000 Hz; {self.rate_hz} was asked for. Change --rate."
            )

    @property
    def dice(self) -> Dice:
        """The clip's draws."""
        return Dice(f"{self.version}|{self.seed}|{self.source_id}", self.overrides)

    def as_json(self) -> dict[str, Any]:
        """Return the spec as a JSON object."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Self:
        """Build a spec from a JSON object written by ``as_json``."""
        return cls(**record)
