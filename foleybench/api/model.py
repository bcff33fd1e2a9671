"""The contract of a model: silent video in, audio out.

A model is one file ``models/foleymodels/<name>.py`` (or a folder) that defines ``MODEL``. Control rows (ground truth,
noise, a shifted track) are models too, so that they pass through the very code that scores the others.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from foleybench.clips import AudioArray, Clip
from foleybench.errors import MediaError

# A sample of magnitude 10 is 20 dB over full scale: a network that has diverged.
LOUDEST = 10.0
Kind = Literal["model", "baseline", "oracle", "control"]
Sees = Literal["video", "events", "audio"]


class ClipRecord(Protocol):
    """What is known of a clip without decoding it (a line of the manifest is one)."""

    @property
    def clip_id(self) -> str:
        """Id of the clip."""
        ...

    @property
    def source_id(self) -> str:
        """The video it was cut from."""
        ...

    @property
    def label(self) -> str:
        """Class name or ""."""
        ...


class ClipSource(Protocol):
    """The clips of one split, as far as a model needs them (``foleybench.ShardDataset`` is one)."""

    @property
    def path(self) -> Path:
        """The manifest."""
        ...

    def entries(self) -> Sequence[ClipRecord]:
        """Return the records of the usable clips, in manifest order."""
        ...

    def entry(self, clip_id: str) -> ClipRecord:
        """Return the record of a usable clip; ``ManifestError`` when there is none."""
        ...

    def load(self, clip_id: str, *, video: bool = True, audio: bool = True) -> Clip:
        """Read one clip, with or without its video and its audio."""
        ...


class Generator(Protocol):
    """A built model, ready to make audio.

    Attributes:
        nfe: Number of network evaluations per clip (0 when there is no network).
        guidance: Classifier-free guidance scale, or None when there is none.
    """

    nfe: int
    guidance: float | None

    @property
    def rate_hz(self) -> int | None:
        """Sample rate of what ``generate`` returns, or None when that is each clip's own (controls made of real audio).

        A plain attribute does as well.
        """
        ...

    def generate(self, clips: Sequence[Clip], rng: np.random.Generator) -> list[AudioArray]:
        """Make audio for each clip.

        Args:
            clips: What the model may see of each clip: whatever ``Model.sees`` does not name has been removed.
            rng: The only source of randomness. ``foleybench.generation.folder`` passes one derived from (seed, clip id)
                per call, so the order and batching of clips change nothing.

        Returns:
            One mono float32 array a clip, of ``Clock(clip.duration_s).samples(rate_of(self, clip))`` samples exactly.
        """
        ...


@runtime_checkable
class BatchGenerator(Generator, Protocol):
    """A generator that makes clips of any lengths at once and gives each what it would get alone."""

    def generate_batch(self, clips: Sequence[Clip], rngs: Sequence[np.random.Generator]) -> list[AudioArray]:
        """Make audio for clips, each from its own source of randomness.

        Args:
            clips: As in ``generate``.
            rngs: One for each clip.

        Returns:
            For each clip what ``generate`` returns for it alone with its ``rng``, up to rounding.
        """
        ...


def rate_of(generator: Generator, clip: Clip) -> int:
    """Return the sample rate in Hz of what a generator makes for a clip."""
    return generator.rate_hz or clip.rate_hz


@dataclasses.dataclass(frozen=True, kw_only=True)
class BuildContext:
    """The settings that a model is built with.

    Attributes:
        device: A torch device name.
        checkpoint: The checkpoint folder or file given by the user, or None.
        data: The data set that is about to be scored (controls need its other clips), or None for loose videos.
        nfe: Wanted number of network evaluations, or None for the model's default.
        guidance: Wanted guidance scale, or None for the model's default.
        sampler: Wanted way to sample a flow (``euler``, ``heun``) or a diffusion (``dpm``, ``ddim``), or None for the
            model's default.
        level_share: How far a flow's sample is drawn towards the loudness over time of its first estimate, 0 to 1; None
            leaves it as it is.
        vocoder: Checkpoint folder of a trained vocoder, or None for the model's own vocoder.
    """

    device: str = "cpu"
    checkpoint: Path | None = None
    data: ClipSource | None = None
    nfe: int | None = None
    guidance: float | None = None
    sampler: str | None = None
    level_share: float | None = None
    vocoder: Path | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainContext:
    """The settings of a training command.

    Attributes:
        data: Manifest of the training split.
        val: Manifest of the validation split, or None.
        out: Run folder: checkpoints, logs, plots; training resumes from the last checkpoint.
        size: Name of the size (``tiny``, ``base``, ``std16k``, ``paper``).
        device: A torch device name.
        seed: Seed of every random choice.
        steps: Overrides the number of steps of the size when given (per stage, scaled alike).
        settings: ``name=value`` overrides of the size's settings; unknown names are refused.
        tensorboard: Whether logged numbers also go to TensorBoard; like audio samples, no influence on training.
        sample_every: Steps between generated audio samples; 0 for none.
    """

    data: Path
    val: Path | None
    out: Path
    size: str = "tiny"
    device: str = "cpu"
    seed: int = 0
    steps: int | None = None
    settings: dict[str, str] = dataclasses.field(default_factory=dict)
    tensorboard: bool = False
    sample_every: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Model:
    """A model's card and how to build and train it.

    Attributes:
        title: Name for people, as printed in tables.
        kind: ``model`` and ``baseline`` rows are ranked; ``oracle`` and ``control`` rows are shown, never ranked.
        sees: The parts of a clip that the model is given. Ranked models see ``video`` only.
        licence: Licence of code and weights.
        description: One sentence.
        build: Makes the generator.
        train: Trains and returns the checkpoint's path, or None when there is nothing to train.
        check: Refuses what ``train`` would refuse of settings and of trained parts that are there, in a moment and
            without data; None when there is nothing to look at.
    """

    title: str
    kind: Kind
    sees: frozenset[Sees]
    licence: str
    description: str
    build: Callable[[BuildContext], Generator]
    train: Callable[[TrainContext], Path] | None = None
    check: Callable[[TrainContext], None] | None = None

    @property
    def needs_checkpoint(self) -> bool:
        """Whether ``build`` needs a trained checkpoint."""
        return self.train is not None


def clip_rng(seed: int, clip_id: str) -> np.random.Generator:
    """Return the random generator of one clip."""
    digest = hashlib.sha256(f"{seed}|{clip_id}".encode()).digest()
    return np.random.default_rng(np.frombuffer(digest[:16], dtype=np.uint32))


def require_usable(values: npt.NDArray[Any], largest: float, what: str) -> None:
    """Refuse generated values that are not finite or far too large.

    Args:
        values: Samples, or what they are made from; any shape.
        largest: The largest magnitude that is taken.
        what: Names the values for the reader.

    Raises:
        MediaError: ``not_finite``: one is NaN, infinite, or larger; the first is named.
    """
    # A NaN compares as not below anything.
    bad = np.flatnonzero(~(np.abs(values) <= largest))
    if len(bad):
        value = values.reshape(-1)[bad[0]]
        raise MediaError(
            "not_finite", f"{len(bad)} of {values.size} {what} are NaN, infinite or beyond {largest:g}: first {value}"
        )
