"""Plots: well-formed SVG whose marks lie where the numbers say."""

import itertools
import xml.etree.ElementTree as ET

import pytest

from foleybench.artefacts.entries import read_all
from foleybench.leaderboard import plots
from foleybench.leaderboard.board import make_boards
from foleybench.pages import svg

NS = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def board(board_folder):
    (found,) = make_boards(read_all(board_folder))
    return found


def column(board, name):
    return next(c for c in board.columns if c.name == name)


def test_forest_has_a_mark_per_value_in_order(board):
    root = ET.fromstring(plots.forest(board, column(board, "event_f1")))
    marks = [e for e in root if "mark" in e.get("class", "")]
    assert len(marks) == 7
    assert [e.get("class").split()[1] for e in marks] == [
        *("model", "model", "model", "baseline", "model", "oracle", "control")
    ]
    centre = [float(e.get("cx")) for e in marks if e.get("cx")]
    values = [row.cells["event_f1"].value for row in board.rows if row.model["kind"] in ("model", "control")]
    assert [v for _, v in sorted(zip(centre, values, strict=True))] == sorted(values)
    assert len([e for e in root if e.get("class") == "control-line"]) == 1


def test_forest_leaves_out_what_does_not_count(board):
    root = ET.fromstring(plots.forest(board, column(board, "kld_mini")))
    assert len([e for e in root if "mark" in e.get("class", "")]) == 6  # delta is stale


def test_scatter_and_speed(board):
    f1, kld = column(board, "event_f1"), column(board, "kld_mini")
    root = ET.fromstring(plots.scatter(board, kld, f1))
    assert len([e for e in root if "mark" in e.get("class", "")]) == 6
    assert len([e for e in root if e.get("class", "").startswith("bar")]) == 12  # both ways
    root = ET.fromstring(plots.against_seconds(board, f1))
    assert len([e for e in root if "mark" in e.get("class", "")]) == 6  # no control


def test_tolerance_curves_rise(board):
    root = ET.fromstring(plots.tolerance_curves(board, column(board, "event_f1")))
    lines = [e for e in root if e.tag == f"{NS}polyline"]
    assert len(lines) == 7
    heights = [float(point.split(",")[1]) for point in lines[0].get("points").split()]
    assert heights == sorted(heights, reverse=True)  # up the screen is down in pixels
    assert plots.tolerance_curves(board, column(board, "kld_mini")) is None


def test_too_little_to_plot(tmp_path, make_result):
    gone = {"event_f1": {"value": None, "low": None, "high": None, "reason": "none"}}
    make_result(tmp_path, "alpha", metrics=("event_f1",), changes=gone)
    (board,) = make_boards(read_all(tmp_path))
    assert plots.forest(board, board.columns[0]) is None
    assert plots.against_seconds(board, board.columns[0]) is None
    assert plots.tolerance_curves(board, board.columns[0]) is None


@pytest.mark.parametrize("values", [[0.5], [0.0], [-3.0, 2.0], [1e-9, 2e-9], [5.0, 5.0], [1e6, 2e6]])
def test_scales_hold_their_values_and_have_ticks(values):
    scale = svg.scale_for(values, 0, 100)
    assert scale.low < scale.high
    assert all(0 <= scale(v) <= 100 for v in values)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 8
    assert all(scale.low <= t <= scale.high for t in ticks)


@pytest.mark.parametrize("values", [[0.01, 10.0], [0.5, 0.5], [1e-4, 1e-3]])
def test_log_scales(values):
    scale = svg.scale_for(values, 0, 100, log=True)
    assert scale.low < min(values) <= max(values) < scale.high
    assert scale.ticks()
    middle = (scale.low * scale.high) ** 0.5
    assert scale(middle) == pytest.approx(50)


def test_everything_in_svg_is_escaped():
    made = svg.element("text", "<script>", title='"><b>')
    assert ET.fromstring(made).text == "<script>"
    assert ET.fromstring(made).get("title") == '"><b>'


def test_labels_keep_apart():
    moved = plots._spread([10.0, 11.0, 12.0, 95.0], 15.0, 0.0, 100.0)
    assert moved == sorted(moved)
    assert all(b - a >= 15.0 for a, b in itertools.pairwise(moved))
    assert moved[-1] <= 100.0
