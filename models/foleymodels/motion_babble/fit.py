"""Fit delay and attacks on training clips' own audio.

No event and no label is read: onsets are found in the audio, by no part of any evaluator.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from foleybench.clips import Clip, FloatArray
from foleybench.errors import FoleyError
from foleymodels._babble.mixture import SILENT, loudness
from foleymodels._parts.onsets import f_score, find_onsets
from foleymodels._parts.training_audio import audio_at
from foleymodels.motion_babble.follow import Following, attacks_s, gain
from foleymodels.motion_babble.motion import motion_of

_TOLERANCE_S = 0.025
# Of levels that are compared in loudness alone.
_LEVEL_HZ = 100.0
# In both lists, what is chosen where nothing can be told stands first. Sound does not come before its motion, but the
# peak of a motion may come after the contact that ends it.
_DELAYS_S = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, -0.01, -0.02, -0.03, -0.04)
_PROMINENCES = (0.5, 0.125, 0.25, 0.75, 1.0, 1.5)


@dataclasses.dataclass(frozen=True)
class Watched:
    """What is seen and heard of a training clip.

    Attributes:
        motion: Motion of every frame, shape (T,).
        times_s: Time of every frame, shape (T,).
        onsets_s: Onsets found in the audio.
        duration_s: Length of the audio.
        loudness: Its root mean square.
    """

    motion: FloatArray
    times_s: FloatArray
    onsets_s: FloatArray
    duration_s: float
    loudness: float

    @classmethod
    def of(cls, clip: Clip, rate_hz: int) -> Watched:
        """Watch a clip.

        Raises:
            FoleyError: It has no frames or no audio.
        """
        if clip.frames is None or not len(clip.frames):
            raise FoleyError(f"training clip {clip.clip_id} has no frames. Prepare the data again.")
        audio = audio_at(clip, rate_hz)
        return cls(
            motion_of(clip.frames),
            clip.frame_times_s,
            find_onsets(audio, rate_hz),
            len(audio) / rate_hz,
            loudness(audio),
        )


def fit_following(watched: Sequence[Watched]) -> Following:
    """Return the delay and the prominence with the best F1 at 25 ms between attacks and onsets of the audio."""
    tried = [
        Following(delay_s=delay_s, prominence=prominence)
        for prominence, delay_s in itertools.product(_PROMINENCES, _DELAYS_S)
    ]
    return max(tried, key=lambda one: _timing(watched, one))


def fit_loudness(watched: Sequence[Watched], following: Following) -> float:
    """Return the median over audible clips of the level at which a sound of loudness 1 is as loud as the clip."""
    audible = [one for one in watched if one.loudness > SILENT]
    levels = [one.loudness / loudness(_followed(one, following)) for one in audible]
    return float(np.median(levels)) if levels else 0.0


def _timing(watched: Sequence[Watched], following: Following) -> float:
    """Return F1 over all clips; 0 where there is neither attack nor onset."""
    found = [attacks_s(one.motion, one.times_s, following.prominence) + following.delay_s for one in watched]
    value = f_score(found, [one.onsets_s for one in watched], _TOLERANCE_S)
    return value if np.isfinite(value) else 0.0


def _followed(one: Watched, following: Following) -> FloatArray:
    return gain(one.motion, one.times_s, following, max(1, round(one.duration_s * _LEVEL_HZ)), _LEVEL_HZ)
