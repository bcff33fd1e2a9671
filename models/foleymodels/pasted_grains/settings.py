"""Define the settings of the baseline."""

from __future__ import annotations

import dataclasses

from foleymodels._parts.settings import Subject
from foleymodels._parts.signal import SignalSettings
from foleymodels._training.decoded_data import CacheSettings, cache_settings
from foleymodels._training.settings import LoopSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class RidgeSettings(Subject):
    """The settings of the ridges, the same at every size.

    Attributes:
        class_penalty: Penalty of the ridge that predicts the class.
        time_penalty: Penalty of the ridges that predict onsets and levels.
        least_f1: F1 on the validation clips (of onsets found in their audio) below which a class is a texture.
    """

    class_penalty: float = 0.01
    time_penalty: float = 0.03
    least_f1: float = 0.3

    @classmethod
    def sizes(cls) -> dict[str, RidgeSettings]:
        """Return the settings of every size."""
        return dict.fromkeys(("tiny", "base", "std16k", "paper"), cls())


@dataclasses.dataclass(frozen=True, kw_only=True)
class GrainSettings:
    """Settings by subject."""

    signal: SignalSettings
    loop: LoopSettings
    ridges: RidgeSettings

    def cache(self) -> CacheSettings:
        """Return the data settings: clips at their own length, since levels are measured over the whole clip."""
        return dataclasses.replace(cache_settings(self.signal), shortest_s=0.0)
