"""The contract of a protocol: which metrics, on what cut of the sound, under which policy. One file each.

``foleybench/protocols/<name>.py`` defines ``PROTOCOL``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from foleybench.features.frontend import Frontend


@dataclasses.dataclass(frozen=True, kw_only=True)
class Protocol:
    """A protocol's card.

    Attributes:
        title: Name for people.
        version: Bump when the same audio can give another number.
        description: What it is for; of another toolkit's preset also where that is faulty, and what is done about it.
        metrics: Registry names, in the order of the table's columns.
        quotes: What tables of papers call a quantity (``KLD (PaSST)``) to the metric that stands for it here, so that
            the same quantity under several protocols can stand side by side.
        dataset: The data set that it is made for, or None for any.
        headline: Axis of quality (``timing``, ``semantics``, ``quality``, ``speed``) to the metric that stands for it.
        crop_s: Score only the first seconds of each clip, or None for the whole clip.
        frontend: What happens to every sound before an encoder hears it.
        length_tolerance_s: A sound that is shorter than its clip by more than this is reported as ``short``.
        silence_db: A sound whose peak lies below this level (dB re full scale) is reported as ``silent``.
    """

    title: str
    version: int
    description: str
    metrics: tuple[str, ...]
    headline: Mapping[str, str]
    quotes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    dataset: str | None = None
    crop_s: float | None = None
    frontend: Frontend = dataclasses.field(default_factory=Frontend)
    length_tolerance_s: float = 0.0
    silence_db: float = -80.0
