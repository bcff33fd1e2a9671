"""The contract of an encoder: from sound (and picture) to features. Encoders do the work, metrics are arithmetic.

An encoder is one file ``foleybench/encoders/<name>.py`` that defines ``ENCODER``. Signal detectors without weights (the
onset detector, loudness curves) are encoders too, so that they run once per sound and are cached like the others.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy.typing as npt

from foleybench.clips import AudioArray, FloatArray, FrameArray
from foleybench.weights import Weights

Features = Mapping[str, npt.NDArray[Any]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Signal:
    """What an encoder is given of one clip.

    Attributes:
        audio: (N,) float32 mono at the encoder's ``rate_hz``.
        duration_s: Length of the clip in seconds.
        frames: (T, H, W, 3) uint8, only for encoders of modality ``pair``.
        frame_times_s: (T,), only for encoders of modality ``pair``.
    """

    audio: AudioArray
    duration_s: float
    frames: FrameArray | None = None
    frame_times_s: FloatArray | None = None


Encode = Callable[[Sequence[Signal]], list[Features]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Encoder:
    """An encoder's card and how to build it.

    Attributes:
        version: Bump when the same sound can give other features; part of the cache key.
        rate_hz: Rate that the sound is resampled to before ``encode`` (once per rate, by the evaluator).
        modality: ``audio``, or ``pair`` when it looks at the picture too.
        layers: Names of what ``encode`` returns for each signal, with shapes in the docstring of the file.
        licence: Of code and weights.
        source: Paper, or ``repo@commit``, that defines it.
        weights: The weights file, or None for a detector without weights.
        build: Takes a torch device name and returns ``encode``. Loads weights strictly; raises
            ``WeightsMissingError`` when they are absent. ``encode`` must give each signal the same features whatever
            it is batched with.
    """

    version: int
    rate_hz: int
    modality: Literal["audio", "pair"] = "audio"
    layers: tuple[str, ...]
    licence: str
    source: str
    weights: Weights | None = None
    build: Callable[[str], Encode]
