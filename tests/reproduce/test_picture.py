"""The drawn table: every row told apart, controls in grey."""

from foleybench.reproduce.measure import SeedsCell
from foleybench.reproduce.picture import PicturePoint, _bars, _styles

CELL = SeedsCell(0.5, 0.3, 0.6, (0.5,))


def point(label, *, control):
    return PicturePoint(label, 0.1, CELL, CELL, CELL, control)


def test_rows_have_numbers_and_looks_of_their_own_and_controls_letters_in_grey():
    points = [point(f"row {n}", control=False) for n in range(14)] + [point("noise", control=True)]
    styles = _styles(points)
    assert [style["sign"] for style in styles] == [*map(str, range(1, 15)), "a"]
    assert len({(style["color"], style["marker"]) for style in styles}) == 15
    assert styles[-1]["color"] == "0.55"
    assert styles[-1]["label"] == "a  noise"
    assert all(style["color"] != "0.55" for style in styles[:-1])


def test_bars_are_lengths_and_none_without_an_interval():
    assert [[round(end, 9) for end in side] for side in _bars(CELL)] == [[0.2], [0.1]]
    assert _bars(SeedsCell(0.5, None, None, (0.5,))) == [[0.0], [0.0]]
