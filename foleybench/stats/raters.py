"""How alike the raters are: share of equal answers, Krippendorff's alpha.

Source: Krippendorff, "Content Analysis", 2019, chapter 12 (nominal data; units that one rater judged are left out).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class RaterAgreement(NamedTuple):
    """What raters who judged the same thing say.

    Attributes:
        same: Share of pairs of answers that are equal; each unit counts with its number of answers. NaN for none.
        alpha: Krippendorff's alpha: 1 all agree, 0 as by chance; NaN when it cannot be told.
        n_units: Units that two raters or more judged.
    """

    same: float
    alpha: float
    n_units: int


def rater_agreement(units: Mapping[object, Sequence[str]]) -> RaterAgreement:
    """Return how alike answers about the same units are.

    Args:
        units: What was judged -> the answers of its raters, one each.

    Example:
        >>> rater_agreement({"a": ["x", "x"], "b": ["x", "y"]})
        RaterAgreement(same=0.5, alpha=0.0, n_units=2)
    """
    judged = [Counter(answers) for answers in units.values() if len(answers) > 1]
    total = sum(count.total() for count in judged)
    if not judged:
        return RaterAgreement(math.nan, math.nan, 0)
    differing = sum(_unequal(count) / (count.total() - 1) for count in judged) / total
    pooled = sum(judged, Counter[str]())
    by_chance = _unequal(pooled) / (total * (total - 1))
    return RaterAgreement(1 - differing, 1 - differing / by_chance if by_chance else math.nan, len(judged))


def _unequal(count: Counter[str]) -> int:
    """Return the number of ordered pairs of answers that differ."""
    return int(count.total() ** 2 - sum(n * n for n in count.values()))
