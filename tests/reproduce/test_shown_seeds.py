"""Which seeds a page shows while some are not finished."""

import pytest

from foleybench.reproduce.shown_seeds import fullest_seeds, seeds_phrase, shown_phrase

ROWS = [[f"{row}{seed}" for seed in range(3)] for row in "abc"]


@pytest.mark.parametrize(
    ("there", "shown"),
    [
        ("", []),
        ("a1", [1]),
        ("a0 b0 c0 a1 b1 c1 a2 b2 c2", [0, 1, 2]),
        ("a0 b0 c0 a1 b1 a2 b2 c2", [0, 2]),
        ("a0 a1 b1 a2 b2", [1, 2]),
        ("a0 b0 a1 c1", [0]),
        ("a0 c0 a1 b1 a2 c2", [0, 2]),
    ],
)
def test_seeds_with_the_rows_of_the_fullest_are_shown(there, shown):
    """Of two that are as full with other rows, the first: what both have would be less than either shows alone."""
    assert fullest_seeds(ROWS, set(there.split()), 3) == shown


def test_a_seed_without_a_needed_row_is_not_shown():
    there = set(["a0", "b0", "b1", "c1", "a2"])
    assert fullest_seeds(ROWS, there, 3, needed=ROWS[:1]) == [0]
    assert fullest_seeds(ROWS, there, 3, needed=[["d0", "d1", "d2"]]) == []


def test_blocks_with_other_numbers_of_seeds_are_named():
    phrase = seeds_phrase({"x": 2, "y": 1}, 2)
    assert phrase.startswith(
        "2 training seeds of the rows under *x*; 1 training seed of the rows under *y* (of 2 asked"
    )


def test_seeds_are_named_where_they_are_not_the_first():
    assert shown_phrase([0, 1, 2], 3) == "3 training seeds"
    assert shown_phrase([0, 2], 3) == "2 training seeds (of 3 asked for: the others are not finished; seeds 0, 2)"
