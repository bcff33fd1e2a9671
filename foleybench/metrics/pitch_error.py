"""Pitch error: semitones between generated and true pitch at tonal events.

At each visible, audible event that states a pitch (just after an onset, in the middle of a span) the strongest partials
of the generated sound are laid over the true sound's; the shift that fits best is the error. 12 where nothing sounds or
nothing fits within an octave; the mean is over all events of all clips.

Chance is not 12: on the 1,026 test clips of SynthFoley 2 a clip of another class has 6.1 semitones, another clip of the
class 5.7, and noise 6.6 (``leaderboards/synthfoley.csv``). One mixture of 40 training clips for every video has 5.9
(``foleybench eval --model fixed_babble``), as has a click every 50 ms: less than any model there. It hears no timbre:
another body of the same pitch is close to 0.
"""

from __future__ import annotations

import math

import numpy as np

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.clips import Event
from foleybench.metrics._families.features import both, read_feature, scalar
from foleybench.metrics._math.spectral_shift import LARGEST, shift_semitones
from foleybench.stats.pools import Ratio

_HOP_S = 0.01
POOL = Ratio("semitones", ("n_events",))


def _per_clip(clip: ClipView) -> Stat | None:
    reference, generated = read_feature(clip, "reference"), read_feature(clip, "generated")
    n_frames = min(len(reference), len(generated))
    errors = []
    for event in clip.events or ():
        if event.pitch_hz is None or not (event.audible and event.visible):
            continue
        frame = min(n_frames - 1, _frame(event))
        shift = shift_semitones(reference[frame], generated[frame])
        errors.append(LARGEST if shift is None else abs(shift))
    return {"semitones": scalar(math.fsum(errors)), "n_events": scalar(len(errors))} if errors else None


def _frame(event: Event) -> int:
    """The first whole frame after an onset, and the one around the middle of a span."""
    if event.kind == "onset":
        return int(np.ceil(event.time_s / _HOP_S))
    return max(0, round((event.time_s + 0.5 * event.duration_s - 0.064) / _HOP_S))


METRIC = Metric(
    title="Pitch error",
    version=1,
    unit="semitone",
    better="lower",
    ideal=0.0,
    worst=LARGEST,
    source="foleybench",
    needs=both("partials", "partials"),
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip has an audible, visible event with a pitch",
    clip_value=POOL.of_clip,
)
