"""The drawn table: every row told apart, controls in grey."""

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure

from foleybench.reproduce.measure import SeedsCell
from foleybench.reproduce.picture import PicturePoint, _bars, _mark, _name, _styles, draw_picture
from foleybench.reproduce.timing import RowTime

CELL = SeedsCell(0.5, 0.3, 0.6, (0.5,))


TIME = RowTime("any", "s", clip_s=2.0, low=0.2, seconds=0.2, high=0.8, ratio_low=1.0, ratio=1.0, ratio_high=1.0)


def point(label, *, control):
    return PicturePoint(label, TIME, CELL, CELL, CELL, control)


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


def test_speed_is_the_median_with_the_range_over_seeds(tmp_path):
    spans = {}

    def keep(figure, file, **settings):
        bars = figure.axes[0].containers[0]
        spans["at"] = bars[0].get_xdata().tolist()
        spans["ends"] = sorted(bars[2][0].get_segments()[0][:, 0].tolist())
        file.write_bytes(b"PNG")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", keep)
        untimed = PicturePoint("untimed", None, CELL, CELL, CELL, False)
        draw_picture([point("row", control=False), untimed], tmp_path / "p.png")
    assert spans == {"at": [0.1], "ends": pytest.approx([0.1, 0.4])}


def test_signs_of_near_points_stand_apart():
    figure = Figure(figsize=(6, 6), dpi=100)
    axis = figure.add_subplot()
    axis.set(xlim=(0, 1), ylim=(0, 1))
    places = [(0.5, 0.5), (0.505, 0.5), (0.5, 0.505), (0.505, 0.505), (0.9, 0.1)]
    style = {"color": "C0", "marker": "o", "label": "x"}
    none = ([[0.0], [0.0]], [[0.0], [0.0]])
    signs = [_mark(axis, place, none, {**style, "sign": str(k)}) for k, place in enumerate(places)]
    signs.append(_mark(axis, (float("nan"), 0.5), none, {**style, "sign": "none"}))
    figure.draw_without_rendering()
    _name(axis, signs)
    texts = {text.get_text(): text for text in axis.texts}
    assert set(texts) == {"0", "1", "2", "3", "4"}
    centres = []
    for text in axis.texts:
        box = text.get_window_extent()
        centres.append(np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2]))
    assert min(np.hypot(*(a - b)) for a, b in itertools.combinations(centres, 2)) > 9
    points = [axis.transData.transform(place) for place in places]
    assert all(np.hypot(*(centre - at)) < 70 for centre, at in zip(centres, points, strict=True))
