"""Draw plots as SVG: elements, scales, axes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping

from markupsafe import Markup, escape


def element(name: str, *children: str | Markup, **attributes: object) -> Markup:
    """Return one element; text and attribute values are escaped.

    ``class_`` becomes ``class`` and other underscores become dashes; attributes that are None are left out; numbers
    are written with two decimals at most.

    Example:
        >>> print(element("text", "a<b", x=1.005, class_="label"))
        <text x="1" class="label">a&lt;b</text>
    """
    words = [
        f'{key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    ]
    body = "".join(str(escape(child)) for child in children)
    opening = " ".join([name, *words])
    return Markup(f"<{opening}>{body}</{name}>")  # noqa: S704 - every part was escaped above


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".") if math.isfinite(value) else "0"
    return str(value)


@dataclasses.dataclass(frozen=True)
class Scale:
    """Maps values to pixels, linearly or by logarithm.

    Attributes:
        low: Value at ``start_px``.
        high: Value at ``end_px``.
        start_px: Pixel of the low end.
        end_px: Pixel of the high end.
        log: Whether equal ratios, not equal differences, have equal lengths.
    """

    low: float
    high: float
    start_px: float
    end_px: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of a value; values beyond the ends are put at the ends."""
        value = min(max(value, self.low), self.high)
        if self.log:
            share = (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start_px + share * (self.end_px - self.start_px)

    def ticks(self, n: int = 5) -> list[float]:
        """Return about ``n`` round values inside the scale."""
        return _log_ticks(self.low, self.high) if self.log else _ticks(self.low, self.high, n)


def scale_for(values: list[float], start_px: float, end_px: float, *, log: bool = False) -> Scale:
    """Return a scale that spans the values with a margin; never of length zero."""
    low, high = min(values), max(values)
    if log:
        factor = max((high / low) ** 0.08, 1.25)
        return Scale(low / factor, high * factor, start_px, end_px, log=True)
    room = 0.06 * (high - low) or max(abs(high) * 0.1, 0.5)
    return Scale(low - room if low - room > 0 or low < 0 else 0.0, high + room, start_px, end_px)


def _ticks(low: float, high: float, n: int) -> list[float]:
    raw = (high - low) / n
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    found = [m * 10.0**e for e in range(first, last + 1) for m in (1, 2, 5)]
    inside = [tick for tick in found if low <= tick <= high]
    powers = [tick for tick in inside if round(math.log10(tick), 9).is_integer()]
    return powers if len(powers) >= 3 else inside


def tick_text(value: float) -> str:
    """Return a tick's label.

    Example:
        >>> [tick_text(v) for v in (0.0, 0.25, 1000.0, 1e-05)]
        ['0', '0.25', '1000', '1e-05']
    """
    return f"{value:.4g}"


def shorten(text: str, n: int) -> str:
    """Return at most ``n`` characters, with an ellipsis where the text was cut."""
    return text if len(text) <= n else text[: n - 1].rstrip() + "…"


def figure(title: str, width_px: float, height_px: float, *parts: Markup) -> Markup:
    """Return the plot that the parts make up."""
    return element(
        "svg",
        element("title", title),
        *parts,
        viewBox=f"0 0 {width_px:g} {height_px:g}",
        role="img",
        class_="plot",
        xmlns="http://www.w3.org/2000/svg",
    )


def x_axis(
    scale: Scale,
    bottom_px: float,
    title: str,
    *,
    top_px: float | None = None,
    n_ticks: int = 5,
    words: Callable[[float], str] = tick_text,
) -> list[Markup]:
    """Return a horizontal scale's labels and its title, below ``bottom_px``; with ``top_px`` grid lines as well."""
    parts = []
    for tick in scale.ticks(n_ticks):
        x = scale(tick)
        if top_px is not None:
            parts.append(element("line", x1=x, x2=x, y1=top_px, y2=bottom_px, class_="grid"))
        parts.append(element("text", words(tick), x=x, y=bottom_px + 15, class_="tick", text_anchor="middle"))
    middle = (scale.start_px + scale.end_px) / 2
    parts.append(element("text", title, x=middle, y=bottom_px + 33, class_="axis", text_anchor="middle"))
    return parts


def y_grid(scale: Scale, labels: Mapping[float, str], left_px: float, right_px: float) -> list[Markup]:
    """Return a grid line for each of some values of a vertical scale, with its label left of ``left_px``."""
    parts = []
    for value, label in labels.items():
        y = scale(value)
        parts.append(element("line", x1=left_px, x2=right_px, y1=y, y2=y, class_="grid"))
        parts.append(element("text", label, x=left_px - 7, y=y + 4, class_="tick", text_anchor="end"))
    return parts


# The kind of a row must not show by colour alone.
def mark(kind: str, x: float, y: float, title: str) -> Markup:
    """Return the mark of a row: disc for a model, square for a baseline, diamond for an oracle, ring for a control."""
    tip = element("title", title)
    if kind == "control":
        return element("circle", tip, cx=x, cy=y, r=4.0, class_="mark control")
    if kind in ("baseline", "folder"):
        return element("rect", tip, x=x - 4.2, y=y - 4.2, width=8.4, height=8.4, rx=1.5, class_=f"mark {kind}")
    if kind == "oracle":
        points = f"{x:.2f},{y - 6:.2f} {x + 6:.2f},{y:.2f} {x:.2f},{y + 6:.2f} {x - 6:.2f},{y:.2f}"
        return element("polygon", tip, points=points, class_="mark oracle")
    return element("circle", tip, cx=x, cy=y, r=4.8, class_="mark model")
