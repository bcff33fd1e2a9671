"""Bars and histograms as inline SVG; colours come from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from foleybench.leaderboard.svg import Scale, element, shorten
from foleybench.overview.words import plain

_WIDTH_PX = 560.0
_HEIGHT_PX = 210.0
_ROW_PX = 21.0
_LABEL_PX = 190.0


class Bar(NamedTuple):
    """One row of a bar chart; ``of`` is drawn pale behind it."""

    label: str
    n: float
    of: float
    words: str


def bars(title: str, rows: Sequence[Bar], kind: str = "") -> Markup:
    """Return horizontal bars, one a row."""
    scale = Scale(0.0, max([1.0, *(max(row.n, row.of) for row in rows)]), _LABEL_PX, _WIDTH_PX - 120)
    parts = []
    for index, row in enumerate(rows):
        y = 4 + _ROW_PX * index
        tip = element("title", f"{row.label}: {row.words}")
        label = shorten(row.label, 28)
        parts += [
            element("text", tip, label, x=_LABEL_PX - 10, y=y + 14, class_="label", text_anchor="end"),
            _box(_LABEL_PX, y + 3, scale(row.of) - _LABEL_PX, _ROW_PX - 7, "asked"),
            _box(_LABEL_PX, y + 3, scale(row.n) - _LABEL_PX, _ROW_PX - 7, f"bar {kind}", tip),
            element("text", row.words, x=scale(max(row.n, row.of)) + 7, y=y + 14, class_="tick"),
        ]
    return _picture(title, 10 + _ROW_PX * len(rows), *parts)


def histogram(title: str, values: Sequence[float], axis: str, *, log_counts: bool = True) -> Markup:
    """Return how often values occur; by their roots, so that a few outliers can be seen beside thousands."""
    counts, edges = np.histogram(values, bins=_edges(values))
    bottom, left = _HEIGHT_PX - 40, 46.0
    across = Scale(float(edges[0]), float(edges[-1]), left, _WIDTH_PX - 12)
    top = float(counts.max())
    up = Scale(0.0, math.sqrt(top) if log_counts else top, bottom, 12.0)
    parts = []
    for tick in _count_ticks(top):
        y = up(math.sqrt(tick) if log_counts else tick)
        parts.append(element("line", x1=left, x2=_WIDTH_PX - 12, y1=y, y2=y, class_="grid"))
        parts.append(element("text", plain(tick), x=left - 7, y=y + 4, class_="tick", text_anchor="end"))
    for n, low, high in zip(counts, edges, edges[1:], strict=False):
        if n:
            tip = element("title", f"{low:.4g} to {high:.4g}: {n}")
            y = up(math.sqrt(n) if log_counts else float(n))
            width = max(1.5, across(float(high)) - across(float(low)) - 1)
            parts.append(_box(across(float(low)) + 0.5, y, width, bottom - y, "bar", tip))
    for tick in across.ticks(6):
        parts.append(element("text", plain(tick), x=across(tick), y=bottom + 15, class_="tick", text_anchor="middle"))
    parts.append(element("line", x1=left, x2=_WIDTH_PX - 12, y1=bottom, y2=bottom, class_="base"))
    middle = (left + _WIDTH_PX - 12) / 2
    parts.append(element("text", axis, x=middle, y=bottom + 33, class_="axis", text_anchor="middle"))
    return _picture(title, _HEIGHT_PX, *parts)


def ranks(title: str, had: Sequence[int], asked: Sequence[int]) -> Markup:
    """Return many classes as two falling lines: clips asked for and clips that can be used, largest class first."""
    bottom, left = _HEIGHT_PX - 40, 46.0
    across = Scale(0.0, max(1.0, len(had) - 1.0), left, _WIDTH_PX - 12)
    up = Scale(0.0, max(1.0, *map(float, asked)), bottom, 12.0)
    parts = []
    for tick in up.ticks(4):
        parts.append(element("line", x1=left, x2=_WIDTH_PX - 12, y1=up(tick), y2=up(tick), class_="grid"))
        parts.append(element("text", plain(tick), x=left - 7, y=up(tick) + 4, class_="tick", text_anchor="end"))
    for values, kind in ((asked, "curve asked-line"), (had, "curve")):
        points = " ".join(f"{across(k):.1f},{up(n):.1f}" for k, n in enumerate(values))
        parts.append(element("polyline", points=points, class_=kind))
    axis = f"{len(had)} classes, largest first; pale: asked for"
    middle = (left + _WIDTH_PX - 12) / 2
    parts.append(element("text", axis, x=middle, y=bottom + 20, class_="axis", text_anchor="middle"))
    return _picture(title, _HEIGHT_PX, *parts)


def _edges(values: Sequence[float]) -> np.ndarray:
    """Return about forty round bins that hold the values."""
    low, high = float(min(values)), float(max(values))
    if high - low < 1e-9:
        step = max(abs(low), 1.0) / 20
        return np.array([low - 1.5 * step, low - 0.5 * step, low + 0.5 * step, low + 1.5 * step])
    raw = (high - low) / 40
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1, 2, 5, 10) if m * magnitude >= raw)
    first, last = math.floor(low / step), math.floor(high / step) + 1
    return np.arange(first, last + 1) * step


def _count_ticks(top: float) -> list[float]:
    found = [m * 10.0**e for e in range(8) for m in (1, 2, 5)]
    inside = [tick for tick in found if tick <= top]
    return [0.0, *inside[-1::-3][:4]][:5] if len(inside) > 3 else [0.0, *inside]


def _box(x: float, y: float, width: float, height: float, kind: str, *children: Markup) -> Markup:
    return element(
        "rect", *children, x=x, y=y, width=max(0.0, width), height=max(0.0, height), rx=2.0, class_=kind.strip()
    )


def _picture(title: str, height_px: float, *parts: Markup) -> Markup:
    return element(
        "svg",
        element("title", title),
        *parts,
        viewBox=f"0 0 {_WIDTH_PX:g} {height_px:g}",
        role="img",
        class_="plot",
        xmlns="http://www.w3.org/2000/svg",
    )
