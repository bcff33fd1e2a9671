"""Onset metrics on the detector of encoder ``onsets_librosa``: ours with every case decided, the peers' for parity."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.clips import FloatArray
from foleybench.metrics._families.features import read, scalar
from foleybench.metrics._math.onset_matching import SLACK_S
from foleybench.metrics._math.peer_onsets import CONDFOLEY, MMAUDIO, RATE_HZ, Onsets, score
from foleybench.stats.pools import Ratio

ENCODER = "onsets_librosa"
TOLERANCE_S = 0.1
# MMAudio's script listens to so much of each clip.
_MMAUDIO_S = 8.0

Value = Callable[[ClipView], float | None]


def ranked_precision(reference_s: FloatArray, generated_s: FloatArray, confidence: FloatArray) -> float:
    """Return the average precision of detected onsets against true ones, matched one to one within 0.1 s.

    The most confident onset chooses first and takes the nearest true onset that is free. True onsets that nobody takes
    lower the recall, so that silence gets 0.

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
    value: Value, *, title: str, source: str, ideal: float | None, with_reference: bool, layers: tuple[str, ...] = ()
) -> Metric:
    """Return the metric that averages a value over clips.

    Args:
        value: Of a clip whose features are ``generated`` (times), ``reference`` (times, if wanted) and ``layers``.
        title: Column heading.
        source: What defines it.
        ideal: Value of a perfect system.
        with_reference: Whether onsets of the reference sound are needed; else exact events serve.
        layers: More layers of the generated sound's onsets, under their own names.
    """
    pool = Ratio("value")

    def per_clip(clip: ClipView) -> Stat | None:
        found = value(clip)
        return None if found is None else {"value": scalar(found)}

    needs = {"generated": Need(encoder=ENCODER, layer="times_s", of="generated")}
    needs |= {"reference": Need(encoder=ENCODER, layer="times_s", of="reference")} if with_reference else {}
    needs |= {layer: Need(encoder=ENCODER, layer=layer, of="generated") for layer in layers}
    return Metric(
        title=title,
        version=1,
        unit="1",
        better="higher",
        ideal=ideal,
        worst=0.0,
        source=source,
        needs=needs,
        per_clip=per_clip,
        pool=pool,
        undefined="no clip has an onset to be hit",
        clip_value=pool.of_clip,
    )


def condfoley_value(name: str) -> Value:
    """Return the function that gives one of CondFoleyGen's scores of a clip: ``accuracy`` or ``ap``."""

    def value(clip: ClipView) -> float | None:
        onsets = _onsets(clip, "level", "peak")
        reference = np.sort(read(clip, "reference"))
        return float(getattr(score(reference * RATE_HZ, onsets, CONDFOLEY), name)) if len(reference) else None

    return value


def mmaudio_value(name: str) -> Value:
    """Return the function that gives one of MMAudio's scores of a clip: ``accuracy``, ``ap`` or ``f1``."""

    def value(clip: ClipView) -> float | None:
        onsets = _onsets(clip, "wave", "wave_peak")
        times = [e.time_s for e in clip.events or () if e.kind == "onset" and e.audible and e.time_s < _MMAUDIO_S]
        reference = np.sort(np.asarray(times, dtype=np.float64))
        return float(getattr(score(reference * RATE_HZ, onsets, MMAUDIO), name)) if len(reference) else None

    return value


def _onsets(clip: ClipView, height: str, confidence: str) -> Onsets:
    samples = np.round(read(clip, "generated") * RATE_HZ)
    return Onsets(samples, read(clip, height), read(clip, confidence))
