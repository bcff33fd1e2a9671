"""Play the mixture as loud as a video moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foleybench.api.model import BuildContext
from foleybench.clips import AudioArray, Clip, Clock
from foleybench.errors import FoleyError
from foleymodels._babble.mixture import played
from foleymodels._babble.trained import trained_mixture
from foleymodels.motion_babble.follow import Following, gain
from foleymodels.motion_babble.motion import motion_of
from foleymodels.motion_babble.train import KIND


class MotionBabbleGenerator:
    """Plays the mixture at the level of the motion."""

    nfe = 0
    guidance: float | None = None

    def __init__(self, audio: AudioArray, following: Following, rate_hz: int) -> None:
        self._audio, self._following, self.rate_hz = audio, following, rate_hz

    def generate(self, clips: Sequence[Clip], rng: np.random.Generator) -> list[AudioArray]:
        """Return the mixture at the length of each clip and the level of its motion."""
        return [self._one(clip) for clip in clips]

    def _one(self, clip: Clip) -> AudioArray:
        if clip.frames is None or not len(clip.frames):
            raise FoleyError(f"clip {clip.clip_id} has no frames; this model needs them.")
        n_samples = Clock(clip.duration_s).samples(self.rate_hz)
        level = gain(motion_of(clip.frames), clip.frame_times_s, self._following, n_samples, self.rate_hz)
        return (played(self._audio, n_samples) * level).astype(np.float32)


def build(context: BuildContext) -> MotionBabbleGenerator:
    """Read the mixture.

    Raises:
        FoleyError: No checkpoint.
    """
    trained = trained_mixture(context, KIND)
    return MotionBabbleGenerator(trained.audio, Following(**trained.config["following"]), trained.rate_hz)
