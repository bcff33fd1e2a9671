"""Draw a table: quality against speed, timing against semantics."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from foleybench.reproduce.measure import SeedsCell


class PicturePoint(NamedTuple):
    """One row of the picture.

    Attributes:
        label: Its label.
        real_time_factor: Seconds of computing for a second of audio; None for a row that is not timed.
        distance: FAD (mini).
        timing: Event F1 at 25 ms.
        meaning: Class accuracy.
        control: Whether it is a control, shown in grey.
    """

    label: str
    real_time_factor: float | None
    distance: SeedsCell
    timing: SeedsCell
    meaning: SeedsCell
    control: bool


def draw_picture(points: Sequence[PicturePoint], path: Path) -> None:
    """Write the picture as PNG: the left part of rows that are timed, the right of all."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 7), layout="constrained")
    for point, style in zip(points, _styles(points), strict=True):
        if point.real_time_factor and not point.control and point.distance.value > 0:
            bars = ([[0.0], [0.0]], _bars(point.distance))
            _mark(left, (point.real_time_factor, point.distance.value), bars, style)
        bars = (_bars(point.meaning), _bars(point.timing))
        _mark(right, (point.meaning.value, point.timing.value), bars, style)
    left.set(xscale="log", yscale="log", title="Quality against speed")
    left.set(xlabel="real-time factor (lower is faster)", ylabel="FAD (mini) (lower is better)")
    right.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), title="Timing against semantics")
    right.set(xlabel="class accuracy (what is heard)", ylabel="event F1 at 25 ms (when it is heard)")
    for axis in (left, right):
        axis.grid(alpha=0.3)
    handles, labels = right.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp.png")
    figure.savefig(temporary, dpi=110, metadata={"Software": ""})
    plt.close(figure)
    temporary.replace(path)


def _bars(cell: SeedsCell) -> list[list[float]]:
    """Return the lengths of the error bars below and above; 0 where there is no interval."""
    if cell.low is None or cell.high is None:
        return [[0.0], [0.0]]
    return [[max(0.0, cell.value - cell.low)], [max(0.0, cell.high - cell.value)]]


def _styles(points: Sequence[PicturePoint]) -> list[dict[str, Any]]:
    """Return a colour, marker, number and label for every row, grey ones and letters for controls."""
    shapes = itertools.product("osD^v", range(10))
    numbers, letters = itertools.count(1), iter("abcdefghijklmnopqrstuvwxyz")
    found: list[dict[str, Any]] = []
    for point in points:
        if point.control:
            sign, look = next(letters), {"color": "0.55", "marker": "x"}
        else:
            shape, colour = next(shapes)
            sign, look = str(next(numbers)), {"color": f"C{colour}", "marker": shape}
        found.append({**look, "sign": sign, "label": f"{sign}  {point.label}"})
    return found


def _mark(axis: Any, place: tuple[float, float], bars: tuple[Any, Any], style: Mapping[str, Any]) -> None:
    if not all(map(math.isfinite, place)):
        return
    look = {name: value for name, value in style.items() if name != "sign"}
    axis.errorbar(*place, xerr=bars[0], yerr=bars[1], capsize=2, linestyle="", **look)
    axis.annotate(style["sign"], place, xytext=(4, 4), textcoords="offset points", fontsize=8, color="0.2")
