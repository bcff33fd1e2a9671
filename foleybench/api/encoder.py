"""The contract of an encoder: audio, video or caption to features.

An encoder is one file ``foleybench/encoders/<name>.py`` that defines ``ENCODER``. Encoders make features, metrics
are arithmetic on them. Signal detectors without weights (the onset detector, level curves) are encoders too, so that
they run once per clip and are cached like the others.

An encoder is given the audio, the video, both, the caption, or what other encoders made of the clip (``after``).
Whatever depends on the video or on the caption alone is made once per clip and serves every system that is scored on
it. A clip without a caption has no features that come from one; metrics that need them do not apply to it. So it is
with encoders of both channels (``sides``) where audio has not two.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy.typing as npt

from foleybench.api.weights import Weights
from foleybench.clips import AudioArray, FloatArray, FrameArray

Features = Mapping[str, npt.NDArray[Any]]
Modality = Literal["audio", "video", "pair", "text", "features", "sides"]
# In the shape of a layer: an axis whose length depends on the clip.
ANY = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Signal:
    """What an encoder is given of one clip.

    Attributes:
        audio: (N,) float32 mono at the encoder's ``rate_hz``; empty for encoders that use none.
        duration_s: Length of the clip in seconds.
        frames: (T, H, W, 3) uint8, only for encoders of modality ``video`` or ``pair``.
        frame_times_s: (T,), only for encoders of modality ``video`` or ``pair``.
        text: The clip's caption, which is its label, never empty for encoders of modality ``text``; "" for others.
        features: What the encoders named in ``Encoder.after`` made of this clip, by encoder.
        sides: (2, N) float32, left and right at the encoder's ``rate_hz``, only for encoders of modality ``sides``.
    """

    audio: AudioArray
    duration_s: float
    frames: FrameArray | None = None
    frame_times_s: FloatArray | None = None
    text: str = ""
    features: Mapping[str, Features] = dataclasses.field(default_factory=dict)
    sides: AudioArray | None = None


Encode = Callable[[Sequence[Signal]], list[Features]]


def one_by_one(encode_one: Callable[[Signal], Features]) -> Encode:
    """Return the ``encode`` of an encoder that takes each clip alone: its neighbours cannot change a bit."""
    return lambda signals: [encode_one(signal) for signal in signals]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Encoder:
    """An encoder's card and how to build it.

    Attributes:
        version: Bump when the same input can give other features; part of the cache key.
        rate_hz: Rate that the audio is resampled to before ``encode`` (once per rate, by the evaluator).
        modality: The encoder's input: ``audio``, ``video``, ``pair`` (both), ``text`` (the caption), ``features``
            (only what other encoders made), or ``sides`` (the left and the right channel of audio that has two).
        layers: Names of what ``encode`` returns for each signal, with their shapes; ``ANY`` is an axis whose length
            depends on the clip. The docstring of the file says what they are.
        after: Encoders whose features of the same clip are this encoder's input.
        licence: Of code and weights.
        source: Paper, or ``repo@commit``, that defines it.
        weights: The weights file, or None for a detector without weights.
        build: Takes a torch device name and returns ``encode``. Loads weights strictly; raises
            ``WeightsMissingError`` when they are absent. ``encode`` must give each signal the same features whatever
            it is batched with. For a draft (``eval --precision bf16``) an encoder with weights is called within
            torch's autocast to bfloat16; its features are float32 all the same.
        dataset: The only data set that it is made for, or None for any.
        untrained: As ``build``, with random weights of the same shapes, to try sizes and memory; None for encoders
            that no model stands on.
    """

    version: int
    rate_hz: int
    modality: Modality = "audio"
    layers: Mapping[str, tuple[int, ...]]
    after: tuple[str, ...] = ()
    licence: str
    source: str
    weights: Weights | None = None
    build: Callable[[str], Encode]
    dataset: str | None = None
    untrained: Callable[[str], Encode] | None = None

    @property
    def sees(self) -> bool:
        """Whether the encoder is given the video."""
        return self.modality in ("video", "pair")

    @property
    def hears(self) -> bool:
        """Whether the encoder is given the audio."""
        return self.modality in ("audio", "pair")

    @property
    def hears_sides(self) -> bool:
        """Whether the encoder is given both channels."""
        return self.modality == "sides"

    @property
    def reads(self) -> bool:
        """Whether the encoder is given the caption."""
        return self.modality == "text"
