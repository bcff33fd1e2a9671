"""The rule that says whether the paper's ordering holds."""

import pytest

from foleybench.reproduce.measure import Difference
from foleybench.reproduce.verdict import ColumnVerdict, judge_column, overall, sentence

PAPER = {"a": 3.0, "b": 2.0, "c": 1.0}


def gaps(ab, ac, bc):
    pairs = (("a", "b"), ("a", "c"), ("b", "c"))
    return dict(zip(pairs, (Difference(*gap) for gap in (ab, ac, bc)), strict=True))


def test_yes_when_the_best_beats_every_other():
    found = judge_column(PAPER, gaps((0.5, 0.3), (1.0, 0.001), (0.6, 0.002)), "lower")
    assert found == ColumnVerdict("yes", "c", (), 2, 0, 1)


def test_no_when_another_beats_the_best():
    found = judge_column(PAPER, gaps((0.5, 0.3), (1.0, 0.001), (-0.6, 0.002)), "lower")
    assert found == ColumnVerdict("no", "c", ("b",), 1, 1, 1)


def test_undecided_when_the_best_cannot_be_told_from_another():
    found = judge_column(PAPER, gaps((0.5, 0.001), (1.0, 0.001), (0.6, 0.2)), "lower")
    assert found.answer == "undecided"


def test_p_values_are_corrected_within_the_column():
    assert judge_column(PAPER, gaps((1.0, 0.03), (1.0, 0.03), (1.0, 0.03)), "lower").confirmed == 0
    assert judge_column(PAPER, gaps((1.0, 0.016), (1.0, 0.016), (1.0, 0.016)), "lower").confirmed == 3


def test_where_higher_is_better_the_best_is_the_largest():
    found = judge_column(PAPER, gaps((0.5, 0.001), (1.0, 0.001), (0.6, 0.001)), "higher")
    assert (found.answer, found.best) == ("yes", "a")


def test_equal_values_of_the_paper_order_nothing():
    found = judge_column({"a": 1.0, "b": 1.0}, {("a", "b"): Difference(1.0, 0.0001)}, "lower")
    assert (found.confirmed, found.reversed, found.open) == (0, 0, 0)
    assert found.answer == "undecided"


def test_an_undefined_difference_is_not_told_apart():
    found = judge_column({"a": 2.0, "b": 1.0}, {("a", "b"): Difference(float("nan"), None)}, "lower")
    assert (found.answer, found.open) == ("undecided", 1)


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [(["yes", "yes"], "yes"), (["yes", "undecided"], "undecided"), (["yes", "no"], "no"), ([], "undecided")],
)
def test_overall(answers, wanted):
    assert overall([ColumnVerdict(answer, "a", (), 0, 0, 0) for answer in answers]) == wanted


def test_the_sentence_names_who_is_better():
    text = sentence("FAD", ColumnVerdict("no", "c", ("b",), 1, 1, 1))
    assert (
        text
        == "FAD: no (better here than c: b); of 3 ordered pairs 1 confirmed, 1 reversed, 1 not significantly different."
    )
