"""Areas under ROC curves: small cases by hand, and influences against numeric slopes and a simulation."""

import math

import numpy as np
import pytest

from foleybench.stats.areas import MeanArea

POOL = MeanArea("x", "is")


def stat(scores, present):
    return {"x": np.array(scores, dtype=float), "is": np.array(present, dtype=float)}


STATS = [stat([3, 1], [1, 0]), stat([2, 1], [1, 1]), stat([2, 2], [0, 1]), stat([1, 3], [0, 0]), stat([0, 0], [0, 0])]


def test_by_hand():
    first = (3 + 2.5) / 6  # the clip of 3 is above all three others, that of 2 above two of them with one tie
    second = (1.5 + 2) / 6  # 1 beats one of 1, 3, 0 and ties with one; 2 beats two
    assert POOL(STATS) == pytest.approx((first + second) / 2)


def test_names_that_fewer_than_two_clips_have_or_lack_are_left_out():
    wider = [stat([*one["x"], 5, number], [*one["is"], 1, number == 0]) for number, one in enumerate(STATS)]
    assert POOL(wider) == POOL(STATS)
    assert math.isnan(POOL([]))
    assert math.isnan(POOL([stat([1.0], [1.0]), stat([2.0], [1.0]), stat([3.0], [0.0])]))


def test_scores_that_are_the_same_for_all_have_a_half():
    assert POOL([stat([9, -4], one["is"]) for one in STATS]) == 0.5


def test_influence_is_the_slope_in_the_weight_of_a_clip():
    """One more copy of one clip among a thousand of each; of so many, n - 1 for n changes nothing."""
    many = STATS * 1000
    found = POOL.influence(many)
    for number, one in enumerate(STATS):
        slope = (POOL([*many, one]) - POOL(many)) * len(many)
        assert slope == pytest.approx(found.change[number] * len(many), abs=2e-3)
    assert found.weights.sum() == pytest.approx(1.0)


def test_the_variance_of_one_name_is_that_of_delong():
    scores, there = np.array([3.0, 2.0, 2.0, 1.0, 0.0, 2.5]), np.array([1, 1, 0, 0, 0, 1])
    above = [[float(a > b) + 0.5 * (a == b) for b in scores[there == 0]] for a in scores[there == 1]]
    placed, missed = np.mean(above, 1), np.mean(above, 0)
    stats = [stat([score], [one]) for score, one in zip(scores, there, strict=True)]
    variance = placed.var(ddof=1) / 3 + missed.var(ddof=1) / 3
    assert variance > 0
    assert np.square(POOL.influence(stats).change).sum() == pytest.approx(variance)
    assert POOL.influence(stats).change.sum() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("n", [54, 200])
def test_influences_tell_the_spread_of_the_value(n):
    """Over 400 sets of clips the value spreads as the influences of one set say, also where a name is rare."""
    rng = np.random.default_rng(0)

    def drawn():
        present = rng.random((n, 3)) < [0.1, 0.3, 0.5]
        return [stat(row, there) for row, there in zip(rng.normal(present, 1.0), present, strict=True)]

    sets = [drawn() for _ in range(400)]
    told = np.sqrt(np.mean([np.square(POOL.influence(one).change).sum() for one in sets]))
    assert told == pytest.approx(np.std([POOL(one) for one in sets]), rel=0.1)
