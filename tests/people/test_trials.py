"""The plan of trials: everything both ways round, balanced over raters and clips."""

import collections
import itertools

import pytest

from foleybench.errors import FoleyError
from foleybench.people.trials import judgements, make_plan

CLIPS = [f"c{i}" for i in range(7)]


def plan_of(**changes):
    settings = {"n_trials": 10, "n_checks": 8, "n_raters": 21, "seed": 3} | changes
    return make_plan(CLIPS, ["x", "y", "z"], ("real", "noise"), **settings)


def test_every_pair_on_every_clip_once():
    plan = plan_of()
    items = plan.items[: plan.n_pairs]
    assert len(set(items)) == len(items) == 21
    wanted = {(clip, *pair) for clip in CLIPS for pair in itertools.combinations("xyz", 2)}
    assert set(items) == wanted
    assert set(plan.items[21:]) == {(clip, "real", "noise") for clip in CLIPS}


@pytest.mark.parametrize("changes", [{}, {"n_trials": 21}, {"n_trials": 99}, {"n_trials": 4, "n_raters": 6}])
def test_both_ways_round(changes):
    plan = plan_of(**changes)
    ways = collections.Counter(trial for order in plan.orders for trial in order)
    for item in range(len(plan.items)):
        assert abs(ways[item, True] - ways[item, False]) <= 1, plan.items[item]
    low, high = judgements(plan)
    assert high - low <= 1


def test_each_rater_is_balanced_too():
    plan = plan_of(n_trials=12)
    for order in plan.orders:
        pairs = collections.Counter(plan.items[trial.item][1:] for trial in order)
        assert pairs.pop(("real", "noise")) == 8
        assert set(pairs.values()) == {4}
        assert len({(trial.item, trial.turned) for trial in order}) == len(order)  # no trial twice
        for pair in pairs:
            turned = [trial.turned for trial in order if plan.items[trial.item][1:] == pair]
            assert 1 <= sum(turned) <= 3


def test_checks_are_spread_and_never_first():
    for order in plan_of(n_trials=21).orders:
        places = [at for at, trial in enumerate(order) if trial.item >= 21]
        assert len(places) == 8
        assert places[0] > 0
        assert places[0] < 5
        assert places[-1] > 20


def test_the_seed_decides():
    assert plan_of() == plan_of()
    assert plan_of().orders != plan_of(seed=4).orders


def test_what_is_refused():
    with pytest.raises(FoleyError, match="there is 1 system to compare"):
        make_plan(CLIPS, ["x"], None, n_trials=1, n_checks=5, n_raters=1, seed=0)
    with pytest.raises(FoleyError, match="--checks 15 needs 8 clips, there are 7"):
        plan_of(n_checks=15)
    plan = make_plan(CLIPS, ["x", "y"], None, n_trials=7, n_checks=99, n_raters=1, seed=0)
    assert len(plan.items) == len(plan.orders[0]) == 7
