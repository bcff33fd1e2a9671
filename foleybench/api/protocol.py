"""The contract of a protocol: which metrics, under which policy.

``foleybench/protocols/<name>.py`` defines ``PROTOCOL``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from foleybench.clips import Channels, Resampler
from foleybench.errors import FoleyError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frontend:
    """The steps between a clip's audio and an encoder; the defaults are ours.

    Attributes:
        channels: How several channels become one.
        remove_mean: Subtract the mean (DC) before resampling, as av-benchmark and audioldm_eval do.
        resampler: Which resampler.
        int16: Round the result to 16 bits as libsndfile does, through 32 bits and then down; fadtk writes such a file.
        own: Steps of encoders that are fed otherwise, by name; how channels are joined is the same for all.
    """

    channels: Channels = "mean"
    remove_mean: bool = False
    resampler: Resampler = "torchaudio"
    int16: bool = False
    own: Mapping[str, Frontend] = dataclasses.field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Refuse what would be ignored."""
        for encoder, steps in self.own.items():
            if steps.channels != self.channels or steps.own:
                raise FoleyError(
                    f"front end of {encoder}: channels={steps.channels!r}, own={dict(steps.own)}; only the protocol's "
                    f"own front end (channels={self.channels!r}) may say these."
                )

    @property
    def name(self) -> str:
        """The non-default steps, for cache keys; how channels are mixed already shows in the hashed samples."""
        steps = ["remove_mean"] if self.remove_mean else []
        steps += [self.resampler] if self.resampler != "torchaudio" else []
        steps += ["int16_of_int32"] if self.int16 else []
        return "+".join(steps) or "plain"

    def of(self, encoder: str) -> Frontend:
        """Return the steps for one encoder."""
        return self.own.get(encoder, self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Protocol:
    """A protocol's card.

    Attributes:
        title: Name for people.
        version: Bump when the same audio can give another number.
        description: Purpose; for another toolkit's preset also that toolkit's faults, and how they are handled.
        metrics: Registry names, in the order of the table's columns.
        quotes: From a quantity's name in papers (``KLD (PaSST)``) to the metric that computes it here, so that the
            same quantity under several protocols can stand side by side.
        dataset: The data set that it is made for, or None for any.
        headline: Axis of quality (``timing``, ``semantics``, ``quality``, ``speed``) to the metric that stands for it.
        crop_s: Score only the first seconds of each clip, or None for the whole clip.
        cut_resampled: Whether the clip is cut after the steps of the front end, and not before them.
        frontend: The steps between a clip's audio and an encoder.
        length_tolerance_s: Audio that is shorter than its clip by more than this is reported as ``short``.
        silence_db: Audio whose peak lies below this level (dB re full scale) is reported as ``silent``.
    """

    title: str
    version: int
    description: str
    metrics: tuple[str, ...]
    headline: Mapping[str, str]
    quotes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    dataset: str | None = None
    crop_s: float | None = None
    cut_resampled: bool = False
    frontend: Frontend = dataclasses.field(default_factory=Frontend)
    length_tolerance_s: float = 0.0
    silence_db: float = -80.0
