"""Define the pool of metrics that ask in which clips something is heard: areas under ROC curves.

Sources: Hanley and McNeil, "The meaning and use of the area under a ROC curve", 1982; DeLong et al., "Comparing the
areas under two or more correlated ROC curves", 1988 (each clip's placement among the others, which is its influence).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import rankdata

from foleybench.api.metric import Stat
from foleybench.clips import FloatArray
from foleybench.stats.influence import Influence


@dataclasses.dataclass(frozen=True)
class MeanArea:
    """Area under the ROC curve of each name, each name with the same weight; NaN where none can be told.

    The area of a name is the chance that a clip that has it scores higher in it than a clip that has not; a tie counts
    as half. Scores that are the same for all clips have .5, whatever they are and however often a name is there. A name
    that all clips have, or none, is left out.

    Attributes:
        scores: Name of the statistic that holds a score for each name, shape (names,).
        present: Name of the statistic that says which names are there, 0 or 1, shape (names,).

    Example:
        >>> stats = [{"x": np.array([3.0]), "is": np.array([1.0])}, {"x": np.array([1.0]), "is": np.array([0.0])}]
        >>> MeanArea("x", "is")(stats)
        1.0
    """

    scores: str
    present: str

    def __call__(self, stats: Sequence[Stat]) -> float:
        """Return the value of a set of clips; NaN for none."""
        areas = [math.fsum(placed[there]) / there.sum() for placed, there in self._placed(stats)]
        return float(np.mean(areas)) if areas else float("nan")

    def influence(self, stats: Sequence[Stat]) -> Influence:
        """Return the influence of every clip: the mean over names of its placement less the area."""
        parts = []
        for placed, there in self._placed(stats):
            size = np.where(there, there.sum(), (~there).sum())
            parts.append(((placed - placed[there].mean()) / size, 0.5 / size))
        change, weights = np.mean(parts, axis=0)
        return Influence(change, weights)

    def _placed(self, stats: Sequence[Stat]) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Yield, for each name, the placements of the clips and which of them have it, shapes (clips,).

        The placement of a clip that has the name is the share of the others that it scores above, and that of a clip
        that has not the share of those that score above it; ties count as half.
        """
        if not stats:
            return
        scores, present = (np.stack([stat[name] for stat in stats]) for name in (self.scores, self.present))
        for column, there in zip(scores.T, present.T > 0, strict=True):
            if there.all() or not there.any():
                continue
            ranks, own = rankdata(column), np.empty(len(column))
            own[there], own[~there] = rankdata(column[there]), rankdata(column[~there])
            below = ranks - own  # how many clips of the other kind score lower
            yield np.where(there, below / (~there).sum(), 1 - below / there.sum()), there
