"""Screening: the rule, who it excludes, and how often a coin passes it."""

import numpy as np
import pytest
from scipy import stats

from foleybench.errors import FoleyError
from foleybench.people.screening import CHANCE, Excluded, most_failed, screen
from foleybench.people.votes import Vote


@pytest.mark.parametrize("n", range(40))
def test_the_rule_is_the_binomial_at_five_percent(n):
    allowed = most_failed(n)
    assert stats.binom.cdf(allowed, n, 0.5) <= CHANCE
    assert allowed == n or stats.binom.cdf(allowed + 1, n, 0.5) > CHANCE


def checks(rater, answers):
    """Checks with the reference first and second in turn; 1 prefers the reference."""
    return [
        Vote(rater, f"c{i}", "real", "noise", float(a)) if i % 2 else Vote(rater, f"c{i}", "noise", "real", 1.0 - a)
        for i, a in enumerate(answers)
    ]


OWN = [Vote(rater, "c0", "x", "y", 1.0) for rater in ("good", "poor", "tired", "none")]


def test_who_fails_is_left_out_with_all_votes():
    votes = [
        *OWN,
        *checks("good", [1] * 7 + [0]),
        *checks("poor", [1] * 6 + [0, 0]),
        *checks("tired", [1] * 6 + [0.5] * 2),
    ]
    found = screen(votes, "real", "noise")
    assert found.excluded == [Excluded("none", 0, 0, 1), Excluded("poor", 6, 8, 1), Excluded("tired", 6, 8, 1)]
    assert found.votes == [OWN[0]]
    assert "at most 5 %" in found.rule


def test_without_screening_the_checks_alone_go():
    votes = [*OWN, *checks("poor", [0] * 8)]
    assert screen(votes, "real", "noise", exclude=False).votes == OWN
    assert screen(OWN, None, None).votes == OWN


def test_what_is_refused():
    with pytest.raises(FoleyError, match="both the reference and the anchor"):
        screen(OWN, "real", None)
    with pytest.raises(FoleyError, match="nothing to screen by"):
        screen(OWN, "real", "noise")
    with pytest.raises(FoleyError, match=r"no rater is left\. good: 0 of 8 checks right"):
        screen([*OWN, *checks("good", [0] * 8)], "real", "noise")


def test_a_reference_that_is_a_system_keeps_its_other_votes():
    votes = [*checks("good", [1] * 8), Vote("good", "c1", "real", "x", 1.0)]
    assert screen(votes, "real", "noise").votes == [votes[-1]]


def test_a_coin_seldom_passes():
    rng = np.random.default_rng(0)
    votes = [vote for rater in range(1000) for vote in checks(f"r{rater}", rng.integers(0, 2, 8))]
    excluded = screen([*votes, *checks("good", [1] * 8), Vote("good", "c", "x", "y", 1.0)], "real", "noise").excluded
    assert 0.945 <= len(excluded) / 1000 <= 0.985  # 1 - 9/256 = 0.965
