"""The rule that says whether the paper's ordering holds."""

import itertools

import numpy as np
import pytest

from foleybench.reproduce.measure import Difference
from foleybench.reproduce.verdict import ALPHA, MARGINS, ColumnVerdict, compare_pairs, judge_column, overall, sentence
from foleybench.stats import ranking

PAPER = {"a": 3.0, "b": 2.0, "c": 1.0}
LOWER = {"kld_mini": "lower"}
PAIRS = (("a", "b"), ("a", "c"), ("b", "c"))


def judged(ab, ac, bc, better="lower"):
    return judge_column(PAPER, dict(zip(PAIRS, (ab, ac, bc), strict=True)), better)


def compared(*gaps, metric="kld_mini", better="lower"):
    return compare_pairs({metric: dict(zip(PAIRS, gaps, strict=False))}, {metric: better})[metric]


def test_yes_when_the_best_is_better_than_every_other():
    assert judged("undecided", "worse", "worse") == ColumnVerdict("yes", "c", (), 2, 0, 0, 1)


def test_no_when_another_is_better_than_the_best():
    assert judged("undecided", "worse", "better") == ColumnVerdict("no", "c", ("b",), 1, 1, 0, 1)


def test_no_when_another_is_equivalent_to_the_best():
    assert judged("worse", "equivalent", "worse") == ColumnVerdict("no", "c", ("a",), 2, 0, 1, 0)


def test_no_when_two_rows_below_the_best_are_the_other_way_round():
    assert judged("better", "worse", "worse") == ColumnVerdict("no", "c", (), 2, 1, 0, 0)


def test_undecided_when_a_pair_with_the_best_is():
    assert judged("worse", "worse", "undecided").answer == "undecided"


def test_where_higher_is_better_the_best_is_the_largest():
    assert judged("better", "better", "better", better="higher") == ColumnVerdict("yes", "a", (), 3, 0, 0, 0)


def test_equal_values_of_the_paper_order_nothing():
    found = judge_column({"a": 1.0, "b": 1.0}, {("a", "b"): "better"}, "lower")
    assert found == ColumnVerdict("undecided", "a", (), 0, 0, 0, 0)


def test_a_small_value_is_better_only_where_lower_is():
    gap = Difference(-1.0, 1e-6, 0.1, 100)
    assert compared(gap) == {("a", "b"): "better"}
    assert compared(gap, metric="event_f1", better="higher") == {("a", "b"): "worse"}


def test_a_significant_difference_inside_the_margin_is_no_difference():
    # 0.02 of 0.05 with an error of 0.005: 4 errors from 0, 6 from the margin.
    assert compared(Difference(0.02, 1e-4, 0.005, 100)) == {("a", "b"): "equivalent"}
    # At 0.045 the margin is one error away.
    assert compared(Difference(0.045, 1e-6, 0.005, 100)) == {("a", "b"): "worse"}


def test_a_wide_interval_decides_nothing():
    assert compared(Difference(0.0, 1.0, 0.05, 100)) == {("a", "b"): "undecided"}


def test_a_metric_without_a_margin_has_no_equivalence():
    assert "event_offset" not in MARGINS
    found = compared(Difference(0.0, 1.0, 1e-9, 100), metric="event_offset")
    assert found == {("a", "b"): "undecided"}


def test_an_undefined_difference_decides_nothing():
    assert compared(Difference(float("nan"), None)) == {("a", "b"): "undecided"}


def test_p_values_are_corrected_over_all_columns():
    gap = Difference(1.0, 0.03, 0.4, 100)
    alone = compare_pairs({"kld_mini": {("a", "b"): gap}}, LOWER)
    assert alone["kld_mini"]["a", "b"] == "worse"
    both = {"kld_mini": {("a", "b"): gap}, "fad_mini": {("a", "b"): gap}}
    found = compare_pairs(both, {"kld_mini": "lower", "fad_mini": "lower"})
    assert {outcome for pairs in found.values() for outcome in pairs.values()} == {"undecided"}


def test_wrong_verdicts_are_as_rare_as_stated():
    """Six rows, of which three differ by just the margin and three do not: how often is any pair called wrongly?"""
    rng = np.random.default_rng(5)
    margin, error = MARGINS["kld_mini"], MARGINS["kld_mini"] / 3
    truth = dict(zip("abcdef", (0.0, 0.0, 0.0, margin, margin, 2 * margin), strict=True))
    pairs = list(itertools.combinations(truth, 2))
    wrong = decided = 0
    for _ in range(400):
        made = {row: value + rng.normal(0, error / np.sqrt(2)) for row, value in truth.items()}
        gaps = {}
        for first, second in pairs:
            gap = made[first] - made[second]
            p = float(2 * _normal_tail(abs(gap) / error))
            gaps[first, second] = Difference(gap, p, error, float("inf"))
        found = compare_pairs({"kld_mini": gaps}, LOWER)["kld_mini"]
        decided += sum(outcome != "undecided" for outcome in found.values())
        wrong += any(_is_wrong(outcome, truth[a] - truth[b], margin) for (a, b), outcome in found.items())
    assert decided > 400
    # Two families of tests at 5 % each; three standard errors of 400 runs.
    assert wrong / 400 < 2 * ALPHA + 3 * np.sqrt(0.1 * 0.9 / 400)


def _is_wrong(outcome, gap, margin):
    if outcome == "equivalent":
        return abs(gap) >= margin - 1e-12
    if outcome == "undecided":
        return False
    return gap == 0 or (outcome == "worse") != (gap > 0)


def _normal_tail(z):
    from scipy.stats import norm

    return norm.sf(z)


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        (["yes", "yes"], "yes"),
        (["no", "no"], "no"),
        (["yes", "undecided"], "undecided"),
        (["yes", "no"], "undecided"),
        (["no", "undecided"], "undecided"),
        ([], "undecided"),
    ],
)
def test_one_rule_for_yes_and_no(answers, wanted):
    assert overall([ColumnVerdict(answer, "a", (), 0, 0, 0, 0) for answer in answers]) == wanted


def test_the_sentence_names_who_is_not_below():
    text = sentence("FAD", ColumnVerdict("no", "c", ("b",), 1, 1, 0, 1))
    assert text == (
        "FAD: no (not below c here: b); of 3 ordered pairs 1 confirmed, 1 reversed, 0 equivalent, 1 undecided."
    )


def test_the_sentence_says_why_no_where_the_best_row_is_best():
    text = sentence("FAD", ColumnVerdict("no", "c", (), 2, 1, 0, 0))
    assert text.startswith("FAD: no (rows further down are the other way round); of 3 ordered pairs")


def test_holm_is_what_corrects():
    assert ranking.holm([0.03, 0.03]) == [0.06, 0.06]
