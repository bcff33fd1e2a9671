"""Leave out raters who do not hear the real sound.

A check holds the hidden reference (the real sound) against the hidden anchor (a sound that cannot fit). The rule is
fixed before any vote is seen: a rater stays who passes so many checks that answers by coin would do so in at most 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from foleybench.errors import FoleyError
from foleybench.people.votes import Vote

CHANCE = 0.05
LEAST_CHECKS = 5
CHECKS = 8


class Excluded(NamedTuple):
    """A rater who is left out.

    Attributes:
        rater: Who.
        right: Checks in which the reference was preferred.
        checks: How many checks there were.
        votes: How many votes about systems are left out.
    """

    rater: str
    right: int
    checks: int
    votes: int


class Screened(NamedTuple):
    """Votes after screening.

    Attributes:
        votes: About systems, of the raters who stay.
        excluded: The raters who do not, by name.
        rule: The rule, in words; how many checks there were.
    """

    votes: list[Vote]
    excluded: list[Excluded]
    rule: str


def most_failed(n_checks: int) -> int:
    """Return how many of the checks may go wrong, -1 when even none is too many.

    Example:
        >>> [most_failed(n) for n in (4, 5, 8, 12)]
        [-1, 0, 1, 2]
    """
    passed, wrong = 0.0, -1
    while wrong < n_checks:
        passed += math.comb(n_checks, wrong + 1) / 2**n_checks
        if passed > CHANCE:
            break
        wrong += 1
    return wrong


def rule_words(n_checks: int | None = None) -> str:
    """Return the rule in words, with its number where every rater has the same number of checks."""
    rule = (
        "a rater stays who prefers the hidden reference to the hidden anchor in so many checks that answers by coin "
        f"would do so in at most {100 * CHANCE:.0f} %; a tie is a failed check"
    )
    return rule if n_checks is None else f"{rule}; of {n_checks} checks at most {most_failed(n_checks)} may fail"


def screen(votes: Sequence[Vote], reference: str | None, anchor: str | None, *, exclude: bool = True) -> Screened:
    """Take the checks out of the votes, and the raters out who fail them.

    Args:
        votes: All of them.
        reference: Name of the real sound among the systems, or None for no screening.
        anchor: Name of the sound that cannot fit.
        exclude: Whether raters are left out; else the checks alone are.

    Raises:
        FoleyError: One of the two names is missing, or nobody is left.
    """
    if (reference is None) != (anchor is None):
        raise FoleyError("screening needs both the reference and the anchor; give both --reference and --anchor.")
    pair = {reference, anchor}
    checks = [vote for vote in votes if {vote.first, vote.second} == pair]
    rest = [vote for vote in votes if {vote.first, vote.second} != pair]
    if reference is None:
        return Screened(rest, [], "no screening: no reference and anchor among the systems")
    if not checks:
        raise FoleyError(
            f"no vote compares the reference {reference!r} with the anchor {anchor!r}: nothing to screen by."
        )
    if not exclude:
        return Screened(rest, [], "no screening, by --no-screening")
    right: dict[str, list[bool]] = {vote.rater: [] for vote in votes}
    for vote in checks:
        right[vote.rater].append(vote.hits == (1.0 if vote.first == reference else 0.0))
    failed = {rater for rater, found in right.items() if found.count(False) > most_failed(len(found))}
    excluded = [
        Excluded(rater, sum(right[rater]), len(right[rater]), sum(vote.rater == rater for vote in rest))
        for rater in sorted(failed)
    ]
    kept = [vote for vote in rest if vote.rater not in failed]
    numbers = {len(found) for found in right.values()}
    rule = rule_words(numbers.pop() if len(numbers) == 1 else None)
    if not kept:
        told = "; ".join(f"{one.rater}: {one.right} of {one.checks} checks right" for one in excluded[:5])
        raise FoleyError(f"no rater is left. {told}. Rule: {rule}. --no-screening keeps them all.")
    return Screened(kept, excluded, rule)
