"""Render a scene's shapes into frames through the camera.

All frames are rendered at once. A shape is evaluated on a patch around it only, and only its pixels are blended.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from foleybench.clips import FloatArray, FrameArray
from foleybench.synthesis.shapes import Grid, capsule

Colour = npt.NDArray[np.float32]
PerFrame = npt.NDArray[Any] | float
Shape = Callable[..., Grid]
Pattern = Callable[[Grid, Grid], Grid]

_FAINT = 0.004


@dataclasses.dataclass(frozen=True, kw_only=True)
class View:
    """Frames being painted, and the local coordinates of the current object.

    Attributes:
        pixels: (T, H, W, 3) float32 in [0, 1].
        side_px: Pixels per frame width at zoom 1.
        path: (T, 2) where the camera looks, in frame widths against rest.
        zoom: (T,) its zoom.
        centre_px: Pixel, across and down, that shows the point (0.5, 0.5) when the camera is at rest.
        x: Place of the local origin, in frame widths.
        y: The same, downwards.
        scale: Frame widths per local unit.
        mirror: -1 to turn everything round the local origin, else 1.
    """

    pixels: npt.NDArray[np.float32]
    side_px: int
    path: FloatArray
    zoom: FloatArray
    centre_px: tuple[float, float]
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    mirror: int = 1

    def at(self, x: float, y: float, scale: float, mirror: int = 1) -> View:
        """Return the same view with another local origin, unit and direction."""
        return dataclasses.replace(self, x=x, y=y, scale=scale, mirror=mirror)

    def paint(
        self,
        shape: Shape,
        colour: Colour,
        *,
        reach: float | tuple[float, float],
        x: PerFrame = 0.0,
        y: PerFrame = 0.0,
        angle: PerFrame = 0.0,
        pattern: Pattern | None = None,
        fixed: dict[str, Any] | None = None,
        **sizes: PerFrame,
    ) -> None:
        """Paint one shape in every frame where it shows.

        Args:
            shape: Signed distance, called with coordinates in frame widths, ``sizes`` and ``fixed``.
            colour: (3,) in [0, 1].
            reach: Half the side of a square, or half width and half height of a box, that holds the shape.
            x: Centre, a number or one a frame, in local units.
            y: The same, downwards.
            angle: Rotation in radians, clockwise on screen, before mirroring.
            pattern: Added to the colour, from local coordinates.
            fixed: Passed to ``shape`` as they are, one value or one a frame: counts, angles.
            **sizes: Lengths in local units, passed to ``shape``; a number or one a frame.
        """
        unit = np.asarray(self.scale * self.zoom, dtype=np.float64)
        across, down = reach if isinstance(reach, tuple) else (reach, reach)
        most = 2.0 * float(unit.max()) * self.side_px
        wide, high = int(np.ceil(across * most)) + 2, int(np.ceil(down * most)) + 2
        middle_x, middle_y = self.on_screen_px(x, y)
        left, top = np.floor(middle_x - wide / 2.0), np.floor(middle_y - high / 2.0)
        height, width = self.pixels.shape[1:3]
        seen = (left < width) & (left > -wide) & (top < height) & (top > -high)
        which = np.flatnonzero(seen)
        if len(which) == 0:
            return
        px = np.float32(1.0 / self.side_px)
        columns, rows = np.arange(wide, dtype=np.float32), np.arange(high, dtype=np.float32)
        u = ((columns - (middle_x - left - 0.5)[which, None].astype(np.float32)) * px * self.mirror)[:, None, :]
        v = ((rows - (middle_y - top - 0.5)[which, None].astype(np.float32)) * px)[:, :, None]
        u, v = _rotate(u, v, _pick(angle, which))
        lengths = {name: _pick(np.asarray(size) * unit, which) for name, size in sizes.items()}
        loose = {name: _pick(value, which) for name, value in (fixed or {}).items()}
        cover = np.clip(np.float32(0.5) - shape(u, v, **lengths, **loose) / px, 0.0, 1.0)
        frame, row, column = np.nonzero(cover > _FAINT)
        at_row, at_column = row + top[which[frame]].astype(np.int64), column + left[which[frame]].astype(np.int64)
        inside = (at_row >= 0) & (at_row < height) & (at_column >= 0) & (at_column < width)
        frame, row, column = frame[inside], row[inside], column[inside]
        flat = (which[frame] * height + at_row[inside]) * width + at_column[inside]
        ink = colour[None, :]
        if pattern is not None:
            local = _pick(1.0 / unit, which)
            shade = np.broadcast_to(pattern(u * local, v * local), cover.shape)[frame, row, column]
            ink = ink + shade[:, None]
        target = self.pixels.reshape(-1, 3)
        under = target[flat]
        under += cover[frame, row, column][:, None] * (ink - under)
        target[flat] = under

    def line(self, start: tuple[PerFrame, PerFrame], end: tuple[PerFrame, PerFrame], width: float, ink: Colour) -> None:
        """Paint a thick line with round ends, in local units; every end may move."""
        (x0, y0), (x1, y1) = start, end
        hx, hy = (np.asarray(x1) - x0) / 2.0, (np.asarray(y1) - y0) / 2.0
        reach = (float(np.abs(hx).max()) + width, float(np.abs(hy).max()) + width)
        self.paint(capsule, ink, reach=reach, x=x0 + hx, y=y0 + hy, hx=hx, hy=hy, r=width / 2.0)

    def on_screen_px(self, x: PerFrame, y: PerFrame) -> tuple[FloatArray, FloatArray]:
        """Return the place on screen of a point in local units, in pixels, two arrays of shape (T,)."""
        world_x = self.x + self.scale * self.mirror * np.asarray(x, dtype=np.float64)
        world_y = self.y + self.scale * np.asarray(y, dtype=np.float64)
        across = (world_x - 0.5 - self.path[:, 0]) * self.zoom * self.side_px + self.centre_px[0]
        down = (world_y - 0.5 - self.path[:, 1]) * self.zoom * self.side_px + self.centre_px[1]
        return np.asarray(across), np.asarray(down)


def still(side_px: int, colour: Colour, *, beyond: tuple[float, float]) -> View:
    """Return a view of one frame that shows more than the frame: this many frame widths on either side, up and down."""
    wide, high = (int(np.ceil(margin * side_px)) for margin in beyond)
    pixels = np.empty((1, side_px + 2 * high, side_px + 2 * wide, 3), dtype=np.float32)
    pixels[...] = colour
    centre = (wide + side_px / 2.0, high + side_px / 2.0)
    return View(pixels=pixels, side_px=side_px, path=np.zeros((1, 2)), zoom=np.ones(1), centre_px=centre)


def film(backdrop: View, path: FloatArray, zoom: FloatArray) -> View:
    """Return frames that show the backdrop through the camera.

    Args:
        backdrop: From ``still``, large enough for the whole path; its edge is repeated beyond.
        path: (T, 2) where the camera looks, in frame widths against rest.
        zoom: (T,) its zoom.
    """
    side, source = backdrop.side_px, backdrop.pixels[0]
    pixels = np.empty((len(path), side, side, 3), dtype=np.float32)
    shown = View(pixels=pixels, side_px=side, path=path, zoom=zoom, centre_px=(side / 2.0, side / 2.0))
    centre = np.asarray(backdrop.centre_px)
    if np.all(zoom == 1.0):
        _shifted(source, centre + path * side - side / 2.0, pixels)
    else:
        for k in range(len(path)):
            _zoomed(source, centre + path[k] * side, float(zoom[k]), pixels[k])
    return shown


def develop(view: View) -> FrameArray:
    """Return the frames as (T, H, W, 3) uint8; the view is used up, which saves a copy."""
    levels = view.pixels
    levels *= np.float32(255.0)
    levels += np.float32(0.5)
    np.clip(levels, 0.0, 255.0, out=levels)
    return levels.astype(np.uint8)


def _shifted(source: Grid, corners: FloatArray, out: npt.NDArray[np.float32]) -> None:
    """Fill frames with the source from corners, (T, 2) across and down in pixels, between which it is interpolated."""
    side = out.shape[1]
    limit = np.asarray([source.shape[1], source.shape[0]]) - side - 1
    whole = np.clip(np.floor(corners), 0, limit).astype(np.int64)
    parts = np.clip(corners - whole, 0.0, 1.0).astype(np.float32)
    down = source[1:] - source[:-1]
    rows = np.empty((side, side + 1, source.shape[2]), dtype=np.float32)
    across = np.empty_like(out[0])
    for frame, (x, y), (fx, fy) in zip(out, whole.tolist(), parts, strict=True):
        box = slice(y, y + side), slice(x, x + side + 1)
        if fx == 0.0 and fy == 0.0:
            frame[...] = source[box][:, :-1]
            continue
        np.multiply(down[box], fy, out=rows)
        rows += source[box]
        np.subtract(rows[:, 1:], rows[:, :-1], out=across)
        across *= fx
        np.add(rows[:, :-1], across, out=frame)


def _zoomed(source: Grid, middle: FloatArray, zoom: float, out: npt.NDArray[np.float32]) -> None:
    side = len(out)
    steps = (np.arange(side) + 0.5 - side / 2.0) / zoom
    (low_x, part_x), (low_y, part_y) = (
        _between(middle[axis] + steps - 0.5, source.shape[1 - axis]) for axis in range(2)
    )
    columns = slice(int(low_x[0]), int(low_x[-1]) + 2)
    near = source[:, columns]
    rows = near[low_y] + part_y[:, None, None] * (near[low_y + 1] - near[low_y])
    at = low_x - low_x[0]
    left = rows[:, at]
    np.add(left, part_x[None, :, None] * (rows[:, at + 1] - left), out=out)


def _between(place: FloatArray, n: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    low = np.clip(np.floor(place), 0, n - 2).astype(np.int64)
    return low, np.clip(place - low, 0.0, 1.0).astype(np.float32)


def _pick(value: PerFrame, which: npt.NDArray[np.int64]) -> Any:
    array = np.asarray(value, dtype=np.float32)
    return np.float32(array) if array.ndim == 0 else (array if len(array) == 1 else array[which])[:, None, None]


def _rotate(u: Grid, v: Grid, angle: Any) -> tuple[Grid, Grid]:
    if not np.any(angle):
        return u, v
    cos, sin = np.cos(angle), np.sin(angle)
    return u * cos + v * sin, v * cos - u * sin
