"""Draw a table: quality against speed, timing against semantics."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from foleybench.reproduce.measure import SeedsCell
from foleybench.reproduce.timing import RowTime

# Where a sign may stand around its point, in pixels and radians, and how much room it needs.
_REACHES = (13.0, 26.0, 40.0, 55.0)
_ANGLES = tuple(np.linspace(np.pi / 4, np.pi / 4 + 2 * np.pi, 12, endpoint=False).tolist())
_ROOM = 12.0


class PicturePoint(NamedTuple):
    """One row of the picture.

    Attributes:
        label: Its label.
        time: Seconds of computing for a clip, or None for a row that was not timed.
        distance: FAD (mini).
        timing: Event F1 at 25 ms.
        meaning: Class accuracy.
        control: Whether it is a control, shown in grey.
    """

    label: str
    time: RowTime | None
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
    marked: dict[Any, list[tuple[str, tuple[float, float]]]] = {left: [], right: []}
    for point, style in zip(points, _styles(points), strict=True):
        if point.time and not point.control and point.distance.value > 0:
            low, middle, high = (
                one / point.time.clip_s for one in (point.time.low, point.time.seconds, point.time.high)
            )
            spread = [[middle - low], [high - middle]]
            marked[left].append(_mark(left, (middle, point.distance.value), (spread, _bars(point.distance)), style))
        bars = (_bars(point.meaning), _bars(point.timing))
        marked[right].append(_mark(right, (point.meaning.value, point.timing.value), bars, style))
    left.set(xscale="log", yscale="log", title="Quality against speed")
    left.set(xlabel="real-time factor, median and quartiles (lower is faster)", ylabel="FAD (mini) (lower is better)")
    right.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), title="Timing against semantics")
    right.set(xlabel="class accuracy (what is heard)", ylabel="event F1 at 25 ms (when it is heard)")
    for axis in (left, right):
        axis.grid(alpha=0.3)
    handles, labels = right.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=7)
    figure.draw_without_rendering()  # places are known once the layout is
    for axis, signs in marked.items():
        _name(axis, signs)
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


def _mark(
    axis: Any, place: tuple[float, float], bars: tuple[Any, Any], style: Mapping[str, Any]
) -> tuple[str, tuple[float, float]]:
    """Draw a point with its bars; return its sign and place."""
    if all(map(math.isfinite, place)):
        look = {name: value for name, value in style.items() if name != "sign"}
        axis.errorbar(*place, xerr=bars[0], yerr=bars[1], capsize=2, linestyle="", **look)
    return str(style["sign"]), place


def _name(axis: Any, signs: Sequence[tuple[str, tuple[float, float]]]) -> None:
    """Write every sign near its point, at the nearest place with room; from farther away a thin line leads to it."""
    there = [(sign, place) for sign, place in signs if all(map(math.isfinite, place))]
    points = [axis.transData.transform(place) for _, place in there]
    taken = list(points)
    for (sign, place), at in zip(there, points, strict=True):
        steps = [at + radius * np.array([np.cos(a), np.sin(a)]) for radius in _REACHES for a in _ANGLES]
        free = [
            min((np.hypot(*(step - other)) for other in taken if other is not at), default=np.inf) for step in steps
        ]
        chosen = next((k for k, room in enumerate(free) if room > _ROOM), int(np.argmax(free)))
        taken.append(steps[chosen])
        shift = (steps[chosen] - at) * 72 / axis.figure.dpi
        arrow = {"arrowstyle": "-", "linewidth": 0.4, "color": "0.6", "shrinkA": 0, "shrinkB": 2}
        axis.annotate(
            sign, place, xytext=tuple(shift), textcoords="offset points",
            fontsize=8, color="0.2", ha="center", va="center", arrowprops=arrow if chosen >= len(_ANGLES) else None,
        )  # fmt: skip
