"""The paper's order pair by pair, against a case worked out by hand."""

from foleybench.reproduce.orders import orders_table, outcomes_table
from foleybench.reproduce.verdict import judge_column, told_pairs

REPORTED = {"A": 1.0, "B": 2.0, "C": 3.0, "D": 3.0}  # lower is better: A, B, then C and D level
OUTCOMES = {
    ("A", "B"): "better",
    ("A", "C"): "worse",
    ("A", "D"): "equivalent",
    ("B", "C"): "undecided",
    ("B", "D"): "better",
    ("C", "D"): "better",
}


def test_each_ordered_pair_once_its_better_row_first():
    assert told_pairs(REPORTED, OUTCOMES, "lower") == {
        ("A", "B"): "confirmed",
        ("A", "C"): "reversed",
        ("A", "D"): "equivalent",
        ("B", "C"): "undecided",
        ("B", "D"): "confirmed",
    }


def test_where_higher_is_better_the_same_outcomes_say_the_opposite():
    told = told_pairs(REPORTED, OUTCOMES, "higher")
    assert told[("B", "A")] == "reversed"
    assert told[("C", "A")] == "confirmed"
    assert told[("D", "A")] == "equivalent"
    assert len(told) == 5


def test_the_verdict_counts_the_same_pairs():
    verdict = judge_column(REPORTED, OUTCOMES, "lower")
    assert (verdict.confirmed, verdict.reversed, verdict.equivalent, verdict.open) == (2, 1, 1, 1)
    assert verdict.not_below == ("C", "D")


def test_a_pair_stands_in_the_line_of_the_papers_better_row():
    text = orders_table("KLD", told_pairs(REPORTED, OUTCOMES, "lower"))
    assert text.splitlines()[2:] == [
        "| 1. A | ✓ | ✗ | = |",
        "| 2. B |  | ? | ✓ |",
        "| 3. C |  |  |  |",
        "| 4. D |  |  |  |",
    ]


def test_a_column_that_lacks_a_pair_leaves_its_cell_empty():
    text = outcomes_table({"KLD": {("A", "B"): "better", ("A", "C"): "worse"}, "FAD": {("A", "C"): "equivalent"}})
    assert text.splitlines()[2:] == ["| A | B | better |  |", "| A | C | worse | equivalent |"]
