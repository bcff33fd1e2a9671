"""Numbers as text."""

import pytest

from foleybench.leaderboard import cell_text
from foleybench.leaderboard.board import BoardCell
from foleybench.leaderboard.significance import Standing


def cell(value, half=None):
    low, high = (None, None) if half is None else (value - half, value + half)
    return BoardCell(state="ok", value=value, low=low, high=high)


@pytest.mark.parametrize(
    ("cells", "decimals"),
    [
        ([cell(0.412, 0.015)], 3),
        ([cell(0.412, 0.06)], 3),
        ([cell(57.0, 3.1)], 1),
        ([cell(571.0, 31.0)], 0),
        ([cell(0.00012, 0.0000011)], 5),
        ([cell(0.0123)], 4),
        ([cell(0.5, 0.0)], 3),
        ([cell(0.0)], 3),
        ([], 3),
        ([BoardCell(state="undefined")], 3),
    ],
)
def test_decimals(cells, decimals):
    assert cell_text.decimals_for(cells) == decimals


def test_rank_text():
    assert cell_text.rank_text(BoardCell(state="ok", value=1.0, standing=Standing(1, 3, True))) == "1-3"
    assert cell_text.rank_text(BoardCell(state="ok", value=1.0, standing=Standing(2, 2, True))) == "2"
    assert cell_text.rank_text(BoardCell(state="ok", value=1.0)) == ""


def test_interval_text():
    assert cell_text.interval(cell(0.5, 0.1), 2) == "[0.40, 0.60]"
    assert cell_text.interval(cell(0.5), 2) == ""
