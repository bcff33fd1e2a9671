"""Compare what ``mini_class`` hears with what sounds in a clip."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foleybench.api.metric import ClipView
from foleybench.clips import FloatArray
from foleybench.encoders._nets.mini_labels import (
    mini_class_names,
    mini_material_names,
    sounding_classes,
    sounding_materials,
)
from foleybench.metrics._families.features import read_feature

# Log-odds below which the classifier hears nothing: in silence and noise it goes below -14, and a class that does not
# sound beside another that does stays at about -4.
NOTHING = -8.0


class Judgement(NamedTuple):
    """What a clip's generated audio sounds like, and what should sound.

    Attributes:
        logits: Log-odds of each name, shape (n,).
        sounding: Which names sound in the clip, shape (n,), at least one.
    """

    logits: FloatArray
    sounding: npt.NDArray[np.bool_]

    def top_hits(self) -> int:
        """Return how many of the k names that sound are among the k heard most.

        Example:
            >>> Judgement(np.array([2.0, -1.0, 1.0]), np.array([True, True, False])).top_hits()
            1
        """
        most = np.argsort(-self.logits, kind="stable")[: int(self.sounding.sum())]
        return int((self.sounding[most] & (self.logits[most] > NOTHING)).sum())


def heard_classes(clip: ClipView) -> Judgement | None:
    """Return layer ``logits`` and the classes that sound; None where none of those is known to the classifier."""
    return _heard(clip, "logits", mini_class_names(), sounding_classes(clip.events, clip.label))


def heard_materials(clip: ClipView) -> Judgement | None:
    """Return layer ``material_logits`` and the materials that sound; None where the clip states no known one."""
    return _heard(clip, "material_logits", mini_material_names(), sounding_materials(clip.events))


def _heard(clip: ClipView, layer: str, names: tuple[str, ...], wanted: frozenset[str]) -> Judgement | None:
    logits = read_feature(clip, layer)
    sounding = np.array([name in wanted for name in names], dtype=np.bool_)
    return Judgement(logits, sounding) if sounding.any() else None
