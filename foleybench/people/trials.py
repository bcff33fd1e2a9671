"""Which rater judges which pairs, in which order.

Every pair of systems is judged on every clip, both ways round: over the raters, in their order, the two ways of an item
never differ by more than one, and each rater sees a pair of systems about equally often either way round.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from foleybench.errors import FoleyError


class SoundPair(NamedTuple):
    """Two sounds of one clip.

    Attributes:
        clip_id: The clip.
        first: Name of one system.
        second: Name of the other.
    """

    clip_id: str
    first: str
    second: str


class Trial(NamedTuple):
    """An item as one rater gets it.

    Attributes:
        item: Position among the items.
        turned: Whether the second system stands on the left.
    """

    item: int
    turned: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrialPlan:
    """What the raters judge.

    Attributes:
        items: Pairs of systems on clips, then checks (reference and anchor).
        n_pairs: How many of the items are pairs of systems.
        orders: Trials of rater 1, 2, 3 ...
    """

    items: tuple[SoundPair, ...]
    n_pairs: int
    orders: tuple[tuple[Trial, ...], ...]


def make_plan(
    clip_ids: Sequence[str],
    systems: Sequence[str],
    checks: tuple[str, str] | None,
    *,
    n_trials: int,
    n_checks: int,
    n_raters: int,
    seed: int,
) -> TrialPlan:
    """Return the items and the orders of the raters.

    Args:
        clip_ids: The clips.
        systems: The systems, two at least.
        checks: Names of the reference and the anchor, or None for no checks.
        n_trials: Pairs of systems a rater judges, at most all of them.
        n_checks: Checks a rater gets.
        n_raters: For how many raters.
        seed: Decides everything else.

    Raises:
        FoleyError: Fewer than two systems, or more checks than twice the clips.
    """
    if len(systems) < 2:
        raise FoleyError(f"there is {len(systems)} system to compare; name two at least, or add --reference system.")
    if checks and n_checks > 2 * len(clip_ids):
        raise FoleyError(f"--checks {n_checks} needs {-(-n_checks // 2)} clips, there are {len(clip_ids)}.")
    rng = np.random.default_rng(seed)
    clips = [clip_ids[int(index)] for index in rng.permutation(len(clip_ids))]
    pairs = [
        list(itertools.combinations(systems, 2))[int(i)]
        for i in rng.permutation(len(systems) * (len(systems) - 1) // 2)
    ]
    compared = [
        SoundPair(clips[(round_ + place * (len(clips) // len(pairs) or 1)) % len(clips)], *pair)
        for round_ in range(len(clips))
        for place, pair in enumerate(pairs)
    ]
    turned = [(round_ + place) % 2 for round_ in range(len(clips)) for place in range(len(pairs))]
    checked = [SoundPair(clip_id, *checks) for clip_id in clips] if checks else []
    orders = []
    for rater in range(n_raters):
        n = min(n_trials, len(compared))
        own = [_trial(rater * n + place, turned, 0) for place in range(n)]
        own = [own[int(index)] for index in rng.permutation(n)]
        alternating = [index % 2 for index in range(len(checked))]
        tests = [
            _trial(rater * n_checks + place, alternating, len(compared)) for place in range(n_checks if checks else 0)
        ]
        orders.append(tuple(_mixed(own, tests, rng)))
    return TrialPlan(items=(*compared, *checked), n_pairs=len(compared), orders=tuple(orders))


def _trial(count: int, turned: Sequence[int], start: int) -> Trial:
    """Return the so many-eth presentation: items come in turn, and the other way round each time they come again."""
    again, index = divmod(count, len(turned))
    return Trial(start + index, bool((turned[index] + again) % 2))


def _mixed(own: Sequence[Trial], tests: Sequence[Trial], rng: np.random.Generator) -> list[Trial]:
    """Put each check somewhere into its part of the trials, none before the first trial."""
    found = list(own)
    for count in reversed(range(len(tests))):
        low, high = (max(1, len(own) * part // len(tests)) for part in (count, count + 1))
        found.insert(int(rng.integers(low, max(low, high) + 1)), tests[count])
    return found


def judgements(plan: TrialPlan) -> tuple[int, int]:
    """Return how often all raters together judge the item of systems that comes up least, and most."""
    counts = np.bincount([t.item for order in plan.orders for t in order], minlength=len(plan.items))[: plan.n_pairs]
    return int(counts.min()), int(counts.max())
