"""Named draws: repeatable, independent, replaceable one at a time."""

import numpy as np

from foleybench.synthesis.dice import Dice


def test_a_draw_depends_on_key_and_name_only():
    first, second = Dice("a"), Dice("a")
    second.uniform("something else", 0, 1)
    assert first.uniform("x", 0, 1) == second.uniform("x", 0, 1)
    assert first.uniform("x", 0, 1) != first.uniform("y", 0, 1)
    assert first.uniform("x", 0, 1) != Dice("b").uniform("x", 0, 1)


def test_an_override_changes_that_draw_alone():
    plain, changed = Dice("a"), Dice("a", {"x": 0.25})
    assert changed.uniform("x", 0, 1) == 0.25
    assert changed.uniform("y", 0, 1) == plain.uniform("y", 0, 1)
    np.testing.assert_array_equal(changed.generator("z").random(4), plain.generator("z").random(4))


def test_a_branch_is_independent_and_forgets_overrides():
    dice = Dice("a", {"x": 0.25})
    assert dice.branch("b").uniform("x", 0, 1) not in (0.25, Dice("a").uniform("x", 0, 1))


def test_draws_are_uniform():
    values = np.asarray([Dice("k").uniform(str(k), 2.0, 4.0) for k in range(4000)])
    assert values.min() >= 2.0
    assert values.max() < 4.0
    counts = np.histogram(values, bins=8, range=(2.0, 4.0))[0]
    assert np.all(np.abs(counts - 500) < 120)


def test_choice_reaches_every_option():
    assert {Dice("k").choice(str(k), "abc") for k in range(60)} == set("abc")
