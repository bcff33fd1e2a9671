"""Make onset metrics as CondFoleyGen's and MMAudio's scripts compute them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal

import numpy as np

from foleybench.api.metric import ClipView, Metric
from foleybench.clips import FloatArray
from foleybench.metrics._families.features import read_feature
from foleybench.metrics._families.librosa_onsets import librosa_metric
from foleybench.metrics._math.peer_onsets import CONDFOLEY, MMAUDIO, RATE_HZ, Habits, Onsets, score

# MMAudio's script uses this many seconds of each clip.
_MMAUDIO_S = 8.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Script:
    """One of the scripts.

    Attributes:
        habits: How the script matches onsets.
        wanted: The true onsets of a clip in seconds, shape (n,).
        with_reference: Whether true onsets are those of the reference audio.
        height: Layer that decides between candidates for one true onset.
        confidence: Layer that ranks onsets.
        source: ``repo@commit`` and file of the script.
        note: Sentences on the scores for the card.
    """

    habits: Habits
    wanted: Callable[[ClipView], FloatArray]
    with_reference: bool
    height: str
    confidence: str
    source: str
    note: str


def peer_metric(script: Script, name: Literal["accuracy", "ap", "f1"], *, title: str) -> Metric:
    """Return the metric that is one of a script's scores, averaged over clips."""

    def value(clip: ClipView) -> float | None:
        samples = np.round(read_feature(clip, "generated") * RATE_HZ)
        onsets = Onsets(samples, read_feature(clip, script.height), read_feature(clip, script.confidence))
        wanted = np.sort(script.wanted(clip))
        return float(getattr(score(wanted * RATE_HZ, onsets, script.habits), name)) if len(wanted) else None

    return librosa_metric(
        value,
        title=title,
        source=script.source,
        ideal=None,
        with_reference=script.with_reference,
        layers=(script.height, script.confidence),
        note=script.note,
    )


def _reference_onsets(clip: ClipView) -> FloatArray:
    return read_feature(clip, "reference")


def _true_onsets(clip: ClipView) -> FloatArray:
    times = [e.time_s for e in clip.events or () if e.kind == "onset" and e.audible and e.time_s < _MMAUDIO_S]
    return np.asarray(times, dtype=np.float64)


CONDFOLEY_SCRIPT = Script(
    habits=CONDFOLEY,
    wanted=_reference_onsets,
    with_reference=True,
    height="level",
    confidence="peak",
    source="CondFoleyGen@c565db7 predict_onset.py",
    note=(
        "Generated onsets within 50 ms of a stronger one are left out, as the script does, which uses 2 s of audio. A "
        "reference without onsets does not apply; the script counts 0, or stops when the generated audio has none "
        "either. For parity only; use the metric of the same name without ``_condfoley``."
    ),
)
MMAUDIO_SCRIPT = Script(
    habits=MMAUDIO,
    wanted=_true_onsets,
    with_reference=False,
    height="wave",
    confidence="wave_peak",
    source="MMAudio@974010a eval_onsets.py",
    note=(
        "True onsets are the audible onset events of the first 8 s; clips and data without them do not apply. "
        "Generated onsets within 50 ms of a stronger one are left out. One number, 0.3, is both the detector's "
        "threshold and the tolerance in seconds: three times CondFoleyGen's, so the two do not compare. For parity "
        "only; use ``event_f1``."
    ),
)
