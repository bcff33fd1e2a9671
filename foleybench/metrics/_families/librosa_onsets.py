"""Make onset metrics on the detector of encoder ``onsets_librosa``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.clips import FloatArray
from foleybench.metrics._families.features import scalar
from foleybench.metrics._math.onset_matching import SLACK_S
from foleybench.stats.pools import Ratio

TOLERANCE_S = 0.1
_ENCODER = "onsets_librosa"
_NOTE = (
    "Onsets are found by librosa's detector with ``delta=0.3``, as papers do; the value is a mean over clips. That "
    "detector scales every clip by its strongest rise, so steady audio has onsets too: a tone or noise has one at "
    "70 ms, a low tone or a narrow band of noise dozens. Two steady signals agree in these onsets; "
    "``onset_agreement`` counts none of them."
)
_POOL = Ratio("value")

Value = Callable[[ClipView], float | None]


def ranked_precision(reference_s: FloatArray, generated_s: FloatArray, confidence: FloatArray) -> float:
    """Return the average precision of detected onsets against true ones, matched one to one within 0.1 s.

    The most confident onset is matched first, to the nearest free true onset. True onsets without a match lower the
    recall, so that silence gets 0.

    Args:
        reference_s: Times in seconds, shape (n,), n >= 1.
        generated_s: Times in seconds, shape (m,).
        confidence: Shape (m,).

    Example:
        >>> ranked_precision(np.array([1.0, 2.0]), np.array([1.02, 1.5, 2.0]), np.array([0.9, 0.8, 0.7]))
        0.8333333333333333
    """
    free = np.ones(len(reference_s), dtype=bool)
    hits, value = 0, 0.0
    for rank, index in enumerate(np.argsort(-confidence, kind="stable"), start=1):
        distances = np.where(free, np.abs(reference_s - generated_s[index]), np.inf)
        nearest = int(np.argmin(distances))
        if distances[nearest] <= TOLERANCE_S + SLACK_S:
            free[nearest] = False
            hits += 1
            value += hits / rank / len(reference_s)
    return value


def librosa_metric(
    value: Value,
    *,
    title: str,
    source: str,
    ideal: float | None = 1.0,
    with_reference: bool = True,
    layers: tuple[str, ...] = (),
    note: str = "",
) -> Metric:
    """Return the metric that averages a value over clips.

    Args:
        value: Function from a clip to its value; the features are ``generated`` (times), ``reference`` (times, if
            wanted) and ``layers``; None when the metric does not apply to the clip.
        title: Column heading.
        source: Paper or ``repo@commit`` that defines the metric.
        ideal: Value of a perfect system.
        with_reference: Whether onsets of the reference audio are needed; else exact events serve.
        layers: More layers of the generated audio's onsets, under their own names.
        note: Further sentences for the card.
    """

    def per_clip(clip: ClipView) -> Stat | None:
        found = value(clip)
        return None if found is None else {"value": scalar(found)}

    needs = {"generated": Need(encoder=_ENCODER, layer="times_s", of="generated")}
    needs |= {"reference": Need(encoder=_ENCODER, layer="times_s", of="reference")} if with_reference else {}
    needs |= {layer: Need(encoder=_ENCODER, layer=layer, of="generated") for layer in layers}
    return Metric(
        title=title,
        version=1,
        unit="1",
        better="higher",
        ideal=ideal,
        best=1.0,
        worst=0.0,
        source=source,
        needs=needs,
        per_clip=per_clip,
        pool=_POOL,
        undefined="no clip has an onset to be hit",
        note=f"{_NOTE} {note}".strip(),
        clip_value=_POOL.of_clip,
    )
