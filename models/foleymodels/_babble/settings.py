"""Define the settings of the babbles."""

from __future__ import annotations

import dataclasses

from foleybench.api.model import TrainContext
from foleybench.errors import UnknownNameError
from foleymodels._parts.settings import SIZES, Subject
from foleymodels._parts.signal import SignalSettings
from foleymodels._training.settings import LoopSettings, RunOptions, resolve


@dataclasses.dataclass(frozen=True, kw_only=True)
class MixtureSettings(Subject):
    """The settings of a mixture, the same at every size.

    Attributes:
        n_mixed: Training clips that are mixed; enough for most classes of a corpus of few, and too many to follow one.
        n_measured: Training clips whose loudness is measured, and whose video and audio are compared.
    """

    n_mixed: int = 40
    n_measured: int = 240

    @classmethod
    def sizes(cls) -> dict[str, MixtureSettings]:
        """Return the settings of every size."""
        return dict.fromkeys(SIZES, cls())

    def check(self) -> None:
        """Refuse a mixture of nothing.

        Raises:
            UnknownNameError: A number is below 1.
        """
        for name, number in dataclasses.asdict(self).items():
            if number < 1:
                raise UnknownNameError(f"{name}={number} leaves no training clip; it must be 1 or more.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class BabbleSettings:
    """Settings by subject."""

    signal: SignalSettings
    loop: LoopSettings
    mixture: MixtureSettings


def babble_settings(context: TrainContext) -> BabbleSettings:
    """Return the settings that a training command asks for.

    Raises:
        UnknownNameError: There is no such size or setting, or a value does not fit.
    """
    return resolve(BabbleSettings, RunOptions, context, main_steps=lambda _: 1)[0]


def check_babble(context: TrainContext) -> None:
    """Refuse what training would refuse of settings.

    Raises:
        UnknownNameError: As ``babble_settings``.
    """
    babble_settings(context)
