"""Pool areas under ROC curves: in which clips something is heard.

Sources: Hanley and McNeil, "The meaning and use of the area under a ROC curve", 1982; DeLong et al., "Comparing the
areas under two or more correlated ROC curves", 1988 (each clip's placement among the others, which is its influence).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from foleybench.api.metric import Stat
from foleybench.clips import FloatArray
from foleybench.stats.influence import Influence

_LEAST = 2


@dataclasses.dataclass(frozen=True)
class MeanArea:
    """Area under the ROC curve of each name, each name with the same weight; NaN where none can be told.

    The area of a name is the chance that a clip that has it scores higher in it than a clip that has not; a tie counts
    as half. Scores that are the same for all clips have .5, whatever they are and however often a name is there. A name
    that fewer than two clips have, or lack, is left out: nothing would be known of its error.

    Attributes:
        scores: Name of the statistic that holds a score for each name, shape (names,).
        present: Name of the statistic that says which names are there, 0 or 1, shape (names,).

    Example:
        >>> made = ((3, 1), (1, 0), (2, 1), (2, 0))
        >>> stats = [{"x": np.array([score]), "is": np.array([there])} for score, there in made]
        >>> MeanArea("x", "is")(stats)
        0.875
    """

    scores: str
    present: str

    def __call__(self, stats: Sequence[Stat]) -> float:
        """Return the value of a set of clips; NaN for none."""
        areas = [math.fsum(placed[there]) / int(there.sum()) for placed, there in self._placed(stats)]
        return float(np.mean(areas)) if areas else float("nan")

    def influence(self, stats: Sequence[Stat]) -> Influence:
        """Return the influence of every clip: the mean over names of its placement less the area.

        Of few clips with a name the placements lie too near their own mean, so they are spread as DeLong's variance is:
        n - 1 in the place of n.
        """
        parts = []
        for placed, there in self._placed(stats):
            size = np.where(there, there.sum(), (~there).sum())
            spread = np.sqrt(size / (size - 1))
            parts.append((spread * (placed - placed[there].mean()) / size, 0.5 / size))
        change, weights = np.mean(parts, axis=0)
        return Influence(change, weights)

    def _placed(self, stats: Sequence[Stat]) -> Iterator[tuple[FloatArray, npt.NDArray[np.bool_]]]:
        """Yield, for each name, the placements of the clips and which of them have it, shapes (clips,).

        The placement of a clip that has the name is the share of the others that it scores above, and that of a clip
        that has not the share of those that score above it; ties count as half.
        """
        if not stats:
            return
        scores, present = (np.stack([stat[name] for stat in stats]) for name in (self.scores, self.present))
        for column, there in zip(scores.T, present.T > 0, strict=True):
            if min(there.sum(), (~there).sum()) < _LEAST:
                continue
            ranks, own = rankdata(column), np.empty(len(column))
            own[there], own[~there] = rankdata(column[there]), rankdata(column[~there])
            below = ranks - own  # how many clips of the other kind score lower
            yield np.where(there, below / (~there).sum(), 1 - below / there.sum()), there
