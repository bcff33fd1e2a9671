"""The contract of a metric: features to statistics to a value.

A metric is one file ``foleybench/metrics/<name>.py`` that defines ``METRIC``. ``per_clip`` turns the features of a clip
into statistics, ``pool`` the statistics of any clips into a value. ``pool`` is pure and is given nothing but the
statistics, so intervals, paired tests, per-class rows and sharded runs all come from the same two functions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from foleybench.clips import Event

Stat = Mapping[str, npt.NDArray[np.float64]]
Pool = Callable[[Sequence[Stat]], float]
# Statistics of clips and, for each, the video that it was cut from.
CorrectedPool = Callable[[Sequence[Stat], Sequence[str]], float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Need:
    """A feature that a metric needs.

    Attributes:
        encoder: Registry name of the encoder.
        layer: Which of its outputs.
        of: ``generated`` or ``reference`` audio (with the video for encoders that use both), ``video`` for encoders of
            the video alone, or ``text`` for encoders of the caption alone.
    """

    encoder: str
    layer: str
    of: Literal["generated", "reference", "video", "text"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClipView:
    """What a metric is given of one clip.

    Attributes:
        clip_id: Id of the clip.
        source_id: The video it was cut from.
        label: Class name or "".
        duration_s: Length in seconds.
        events: Exact events, or None when the data set does not know them.
        features: The needed features, by the metric's own names for them.
        seconds: Wall-clock seconds that generation took for this clip (batch 1), or None when not reported.
    """

    clip_id: str
    source_id: str
    label: str
    duration_s: float
    events: tuple[Event, ...] | None
    features: Mapping[str, npt.NDArray[Any]]
    seconds: float | None = None

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Return a feature by the metric's own name for it."""
        return self.features[name]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric's card and its two functions.

    Attributes:
        title: Column heading.
        version: Bump when the same audio can give another value.
        unit: ``1``, ``%``, ``s``, ``dB``, ``nat``, ``octave``, ``semitone``.
        better: Direction.
        ideal: Value of a perfect system, or None when there is none (speed).
        best: Best possible value, where that is not ``ideal``; None when it is, or when there is none.
        worst: Value at the other end of the scale, or None when it has none.
        source: ``repo@commit`` or paper that defines it; ``foleybench`` when it is ours.
        needs: The features, under names of the metric's own.
        per_clip: Statistics of one clip: a dict of float64 arrays, or None when the metric does not apply to this clip
            (no onset event in it, for one); such clips are counted as not applicable, never as zero.
        pool: The value from the statistics of any set of clips. NaN when undefined.
        undefined: A sentence on when ``pool`` is NaN. Where ``per_clip`` can return None it starts with "no clip has":
            the rest is what such a clip is said to be without.
        note: A caveat for readers of the value, shared by all metrics of a family.
        unranked: Why tables show the value and rank no system by it, as the end of a sentence; "" ranks it.
        beside: How the names of the metrics start that it is to be read with: a table shows it behind the last of
            them. "": where it comes.
        corrected: The sample-size-corrected value for biased metrics (distribution distances), else None; it gets
            the clips' source videos, since clips of one video are not independent.
        clip_value: One number a clip for strip plots and worst lists, or None when there is none (distances).
        curve: Values by tolerance in seconds, for a plot, from the statistics of any set of clips; None when the metric
            has no tolerance.
        minimum_clips: Fewer applicable clips than this give an undefined value.
        few_rows: With fewer rows of the generated sound than this, over all clips, a value says so in a note; 0: never.
        takes: Statistics that hold rows of the generated sound (n, d), which are put together when a clip has several
            takes; all statistics are averaged over the takes when this is empty. None when neither makes sense: the
            metric is then not measured.
    """

    title: str
    version: int
    unit: str
    better: Literal["higher", "lower"]
    ideal: float | None
    best: float | None = None
    worst: float | None = None
    source: str
    needs: Mapping[str, Need]
    per_clip: Callable[[ClipView], Stat | None]
    pool: Pool
    undefined: str
    note: str = ""
    unranked: str = ""
    beside: str = ""
    corrected: CorrectedPool | None = None
    clip_value: Callable[[Stat], float] | None = None
    curve: Callable[[Sequence[Stat]], dict[float, float]] | None = None
    minimum_clips: int = 1
    few_rows: int = 0
    takes: tuple[str, ...] | None = ()

    @property
    def range(self) -> tuple[float | None, float | None]:
        """The lowest and the highest possible value; None where the scale has no end."""
        best = self.ideal if self.best is None else self.best
        return (best, self.worst) if self.better == "lower" else (self.worst, best)
