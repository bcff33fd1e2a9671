"""Draw bars and histograms as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from foleybench.dataset_card.words import plain
from foleybench.pages.svg import Scale, element, figure, shorten, x_axis, y_grid

_WIDTH_PX = 560.0
_HEIGHT_PX = 210.0
_ROW_PX = 21.0
_LABEL_PX = 190.0
_BOTTOM_PX = _HEIGHT_PX - 40
_LEFT_PX = 46.0
# Half of the last tick's label stands beyond it.
_RIGHT_PX = _WIDTH_PX - 24


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
    return figure(title, _WIDTH_PX, 10 + _ROW_PX * len(rows), *parts)


def histogram(title: str, values: Sequence[float], axis: str, *, log_counts: bool = True) -> Markup:
    """Return a histogram with heights by square root, so that a few outliers show beside thousands."""
    counts, edges = np.histogram(values, bins=_edges(values))
    across = Scale(float(edges[0]), float(edges[-1]), _LEFT_PX, _RIGHT_PX)
    top = float(counts.max())
    seen = math.sqrt if log_counts else float
    up = Scale(0.0, seen(top), _BOTTOM_PX, 12.0)
    parts = y_grid(up, {seen(tick): plain(tick) for tick in _count_ticks(top)}, _LEFT_PX, _RIGHT_PX)
    for n, low, high in zip(counts, edges, edges[1:], strict=False):
        if n:
            tip = element("title", f"{low:.4g} to {high:.4g}: {n}")
            y = up(seen(n))
            width = max(1.5, across(float(high)) - across(float(low)) - 1)
            parts.append(_box(across(float(low)) + 0.5, y, width, _BOTTOM_PX - y, "bar", tip))
    parts += x_axis(across, _BOTTOM_PX, axis, n_ticks=6, words=plain)
    parts.append(element("line", x1=_LEFT_PX, x2=_RIGHT_PX, y1=_BOTTOM_PX, y2=_BOTTOM_PX, class_="base"))
    return figure(title, _WIDTH_PX, _HEIGHT_PX, *parts)


def ranks(title: str, had: Sequence[int], asked: Sequence[int]) -> Markup:
    """Return many classes as two falling lines: clips asked for and clips that can be used, largest class first."""
    across = Scale(0.0, max(1.0, len(had) - 1.0), _LEFT_PX, _RIGHT_PX)
    up = Scale(0.0, max(1.0, *map(float, asked)), _BOTTOM_PX, 12.0)
    parts = y_grid(up, {tick: plain(tick) for tick in up.ticks(4)}, _LEFT_PX, _RIGHT_PX)
    for values, kind in ((asked, "curve asked-line"), (had, "curve")):
        points = " ".join(f"{across(k):.1f},{up(n):.1f}" for k, n in enumerate(values))
        parts.append(element("polyline", points=points, class_=kind))
    axis = f"{len(had)} classes, largest first; pale: asked for"
    middle = (_LEFT_PX + _RIGHT_PX) / 2
    parts.append(element("text", axis, x=middle, y=_BOTTOM_PX + 20, class_="axis", text_anchor="middle"))
    return figure(title, _WIDTH_PX, _HEIGHT_PX, *parts)


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
