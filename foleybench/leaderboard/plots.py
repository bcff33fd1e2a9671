"""Draw the page's plots from a board, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from foleybench.leaderboard import cell_text
from foleybench.leaderboard.board import Board, BoardCell, BoardRow
from foleybench.leaderboard.columns import Column
from foleybench.pages import number_text
from foleybench.pages.svg import Scale, element, figure, mark, scale_for, shorten, tick_text, x_axis, y_grid

_WIDTH_PX = 560.0
_ROW_PX = 25.0
_LABEL_PX = 178.0
_GAP_PX = 15.0  # between labels at the ends of curves


def axis_title(column: Column) -> str:
    """Return a metric's name with unit and direction."""
    unit = "" if column.unit in ("1", "") else f" ({column.unit})"
    return f"{column.title}{unit}, {column.better} is better"


def known_cells(board: Board, column: Column) -> list[tuple[BoardRow, BoardCell]]:
    """Return the rows that have a current value of a metric."""
    found = [(row, row.cells[column.name]) for row in board.rows]
    return [(row, cell) for row, cell in found if cell.value is not None and cell.state == "ok"]


def _y_axis(scale: Scale, left_px: float, right_px: float, title: str) -> list[Markup]:
    middle = (scale.start_px + scale.end_px) / 2
    turn = f"translate(14 {middle:.1f}) rotate(-90)"
    name = element("text", title, transform=turn, class_="axis", text_anchor="middle")
    return [*y_grid(scale, {tick: tick_text(tick) for tick in scale.ticks()}, left_px, right_px), name]


def forest(board: Board, column: Column) -> Markup | None:
    """Return the forest plot of a metric: a line per system, its value and interval, control values as dashed lines."""
    found = known_cells(board, column)
    if column.axis == "speed":  # the time to copy a control's file is no speed
        found = [(row, cell) for row, cell in found if row.model["kind"] != "control"]
    if not found:
        return None
    bottom = 8 + _ROW_PX * len(found)
    ends = [end for _, cell in found for end in (cell.low, cell.high, cell.value) if end is not None]
    scale = scale_for(ends, _LABEL_PX, _WIDTH_PX - 16)
    parts = x_axis(scale, bottom, axis_title(column), top_px=4)
    for row, cell in found:
        if row.model["kind"] == "control" and cell.value is not None:
            x = scale(cell.value)
            parts.append(element("line", x1=x, x2=x, y1=4.0, y2=bottom, class_="control-line"))
    for index, (row, cell) in enumerate(found):
        parts += _forest_row(row, cell, column, scale, 8 + _ROW_PX * (index + 0.5))
    return figure(f"{column.title} with 95 % intervals", _WIDTH_PX, bottom + 42, *parts)


def _forest_row(row: BoardRow, cell: BoardCell, column: Column, scale: Scale, y: float) -> list[Markup]:
    value = cell.value or 0.0
    kind = str(row.model["kind"])
    parts = [
        element("text", shorten(row.title, 24), x=_LABEL_PX - 12, y=y + 4, class_=f"label {kind}", text_anchor="end")
    ]
    if cell.low is not None and cell.high is not None:
        parts.append(_bar(scale(cell.low), y, scale(cell.high), y, kind))
    digits = cell_text.decimals_for([cell])
    found = f"{number_text.fixed_decimals(value, digits)} {cell_text.interval(cell, digits)}"
    words = f"{row.title}: {found} {column.title}".strip()
    return [*parts, mark(kind, scale(value), y, words)]


def _bar(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=f"bar {kind}")


class ScatterPoint(NamedTuple):
    """One system in a scatter plot, each axis with value and interval."""

    row: BoardRow
    x: tuple[float, float, float]
    y: tuple[float, float, float]


def _triple(cell: BoardCell) -> tuple[float, float, float]:
    value = cell.value or 0.0
    return value, value if cell.low is None else cell.low, value if cell.high is None else cell.high


def scatter(board: Board, across: Column, up: Column) -> Markup | None:
    """Return one metric against another, with error bars both ways."""
    vertical = {row.entry.row_name: cell for row, cell in known_cells(board, up)}
    points = [
        ScatterPoint(row, _triple(cell), _triple(vertical[row.entry.row_name]))
        for row, cell in known_cells(board, across)
        if row.entry.row_name in vertical
    ]
    return _scatter(points, axis_title(across), axis_title(up), f"{up.title} against {across.title}")


def against_seconds(board: Board, up: Column) -> Markup | None:
    """Return a metric against seconds per clip (logarithmic), for the rows that report a speed."""
    points = []
    for row, cell in known_cells(board, up):
        seconds = row.seconds_per_clip
        if seconds is not None and seconds > 0 and row.model["kind"] != "control":
            points.append(ScatterPoint(row, (seconds, seconds, seconds), _triple(cell)))
    title = "seconds per clip, one at a time, on the device named in the table"
    return _scatter(points, title, axis_title(up), f"{up.title} against seconds per clip", log=True)


def _scatter(
    points: Sequence[ScatterPoint], x_title: str, y_title: str, label: str, *, log: bool = False
) -> Markup | None:
    if len(points) < 2:
        return None
    height = 360.0
    x_scale = scale_for([v for p in points for v in p.x], 62, _WIDTH_PX - 20, log=log)
    y_scale = scale_for([v for p in points for v in p.y], height - 52, 14)
    parts = x_axis(x_scale, height - 52, x_title, top_px=14) + _y_axis(y_scale, 62, _WIDTH_PX - 20, y_title)
    for point in points:
        kind = str(point.row.model["kind"])
        x, y = x_scale(point.x[0]), y_scale(point.y[0])
        parts.append(_bar(x_scale(point.x[1]), y, x_scale(point.x[2]), y, kind))
        parts.append(_bar(x, y_scale(point.y[1]), x, y_scale(point.y[2]), kind))
    places = [(x_scale(p.x[0]), y_scale(p.y[0])) for p in points]
    for point, (x, y) in zip(points, places, strict=True):
        words = f"{point.row.title}: {tick_text(point.x[0])}, {tick_text(point.y[0])}"
        parts.append(mark(str(point.row.model["kind"]), x, y, words))
    parts += _labels(points, places, (62, _WIDTH_PX - 20, 14, height - 52))
    return figure(label, _WIDTH_PX, height, *parts)


def _labels(
    points: Sequence[ScatterPoint], places: Sequence[tuple[float, float]], frame: tuple[float, float, float, float]
) -> list[Markup]:
    """Put a name beside each point, inside the frame and over nothing else.

    Systems come first. A control's name without a free place is left out: pointing at the mark shows the name.
    """
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in places]
    parts = []
    aside = ("control", "oracle")
    order = sorted(range(len(points)), key=lambda i: str(points[i].row.model["kind"]) in aside)
    for index in order:
        (x, y), kind = places[index], str(points[index].row.model["kind"])
        text = shorten(points[index].row.title, _LONGEST_LABEL)
        moves = _MOVES[:_N_CLOSE] if kind in aside else _MOVES
        boxes = [_box(x, y, _LETTER_PX * len(text), *move) for move in moves]
        hidden = [sum(_overlap(box, other) for other in taken) + _outside(box, frame) for box in boxes]
        place = hidden.index(min(hidden))
        if hidden[place] > 0 and kind in aside:
            continue
        box = boxes[place]
        taken.append(box)
        if place >= _N_NEAR:
            end = min(max(x, box[0]), box[2])
            parts.append(element("line", x1=x, y1=y, x2=end, y2=box[1] if box[1] > y else box[3], class_="leader"))
        parts.append(element("text", text, x=box[0], y=box[3] - 3.5, class_=f"label {kind}", text_anchor="start"))
    return parts


_LONGEST_LABEL = 30
_LETTER_PX = 6.6
_Box = tuple[float, float, float, float]
# Sideways (share of the text's width) and down (px), in order of preference; the first lie beside their point, the
# others need a line to it.
_N_NEAR = 4
_N_CLOSE = 16
_MOVES = (
    *((0.0, -9.0), (0.0, 9.0), (-1.0, -9.0), (-1.0, 9.0)),
    *(
        (sideways, sign * (17.0 + 15.0 * step))
        for step in range(12)
        for sign in (-1, 1)
        for sideways in (-0.5, 0.0, -1.0)
    ),
)


def _box(x: float, y: float, width: float, sideways: float, down: float) -> _Box:
    left = x + sideways * width + (8.0 if sideways == 0 else -8.0 if sideways == -1 else 0.0)
    return left, y + down - 7, left + width, y + down + 7


def _overlap(a: _Box, b: _Box) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def _outside(box: _Box, frame: tuple[float, float, float, float]) -> float:
    left, right, top, bottom = frame
    beyond = (left - box[0], box[2] - right, top - box[1], box[3] - bottom)
    return 40.0 * sum(max(0.0, amount) for amount in beyond)


def tolerance_curves(board: Board, column: Column) -> Markup | None:
    """Return the value at each tolerance, a line per system, for a metric that has a curve."""
    curve = column.metric.curve if column.metric else None
    if curve is None:
        return None
    found: list[tuple[BoardRow, dict[float, float]]] = []
    for row, _ in known_cells(board, column):
        stats = row.entry.stats(column.name)
        values = {t: v for t, v in curve([stats[key] for key in sorted(stats)]).items() if math.isfinite(v)}
        if values:
            found.append((row, values))
    return _curves(found, column) if found else None


def _curves(found: Sequence[tuple[BoardRow, Mapping[float, float]]], column: Column) -> Markup:
    height, right = max(360.0, _GAP_PX * len(found) + 80.0), _WIDTH_PX - 160
    tolerances = sorted({1000 * t for _, values in found for t in values})
    x_scale = Scale(0.0, tolerances[-1], 62, right)
    y_scale = scale_for([v for _, values in found for v in values.values()], height - 52, 14)
    parts = x_axis(x_scale, height - 52, "tolerance (ms)", top_px=14) + _y_axis(y_scale, 62, right, column.title)
    ends = _spread([y_scale(values[max(values)]) for _, values in found], _GAP_PX, 20.0, height - 56)
    for index, ((row, values), end) in enumerate(zip(found, ends, strict=True)):
        kind = str(row.model["kind"])
        line = " ".join(f"{x_scale(1000 * t):.2f},{y_scale(v):.2f}" for t, v in sorted(values.items()))
        style = f"curve {kind} hue-{index % 8}"
        parts.append(element("polyline", element("title", row.title), points=line, class_=style))
        last = y_scale(values[max(values)])
        parts.append(element("line", x1=right + 2, y1=last, x2=right + 12, y2=end, class_="leader"))
        parts.append(element("text", shorten(row.title, 22), x=right + 15, y=end + 4, class_=f"label {style}"))
    return figure(f"{column.title} by tolerance", _WIDTH_PX, height, *parts)


def _spread(places: Sequence[float], gap: float, top: float, bottom: float) -> list[float]:
    """Move places apart until neighbours are ``gap`` away from each other, keeping their order."""
    order = sorted(range(len(places)), key=lambda i: (places[i], i))
    moved = list(places)
    floor = top
    for i in order:
        moved[i] = floor = max(places[i], floor)
        floor += gap
    ceiling = bottom
    for i in reversed(order):
        moved[i] = ceiling = min(moved[i], ceiling)
        ceiling -= gap
    return moved
