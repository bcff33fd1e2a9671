"""How much of a list a result is about."""

import pytest

from foleybench.artefacts.coverage import coverage


@pytest.mark.parametrize(
    ("n_clips", "n_listed", "shown"),
    [(1, 3, "33.3 %"), (15445, 15446, "99.9 %"), (1, 100, "1.0 %"), (1, 101, "0.99 %"), (1, 10**7, "1e-05 %")],
)
def test_a_part_is_never_called_all(n_clips, n_listed, shown):
    assert coverage({"n_clips": n_clips, "n_listed": n_listed}).endswith(f"({shown})")


def test_all_of_it_needs_no_word():
    assert (
        coverage({"n_clips": 5, "n_listed": 5}) == coverage({"n_clips": 5, "subset": {"name": "a", "n_ids": 5}}) == ""
    )
