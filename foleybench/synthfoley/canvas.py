"""Paint frames with exact shapes, all at once.

Coordinates are in frame widths, x right, y down; ``at`` moves and scales them. A shape is evaluated for all frames in
one go, on a patch around it only, which is what makes rendering fast.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from foleybench.clips import FrameArray
from foleybench.synthesis.shapes import Grid, capsule

Colour = npt.NDArray[np.float32]
PerFrame = npt.NDArray[Any] | float
Shape = Callable[..., Grid]
Pattern = Callable[[Grid, Grid], Grid]

_FAINT = 0.004


@dataclasses.dataclass(frozen=True, kw_only=True)
class Canvas:
    """Frames being painted.

    Attributes:
        pixels: (T, 3, H, W) float32 in [0, 1].
        side_px: Pixels per frame width.
        camera: (T, 2) shift of the scene in frame widths.
        x: Place of the local origin, in frame widths.
        y: The same, downwards.
        scale: Frame widths per local unit.
    """

    pixels: Grid
    side_px: int
    camera: Grid
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return int(self.pixels.shape[0])

    def at(self, x: float, y: float, scale: float = 1.0) -> Canvas:
        """Return the same canvas with its origin moved to (x, y) and its unit scaled."""
        return dataclasses.replace(self, x=self.x + self.scale * x, y=self.y + self.scale * y, scale=self.scale * scale)

    def paint(
        self,
        shape: Shape,
        colour: Colour,
        *,
        reach: float | tuple[float, float],
        x: PerFrame = 0.0,
        y: PerFrame = 0.0,
        alpha: PerFrame = 1.0,
        angle: PerFrame = 0.0,
        pattern: Pattern | None = None,
        **sizes: PerFrame,
    ) -> None:
        """Paint one shape in every frame where it shows.

        Args:
            shape: Signed distance, called with local coordinates and ``sizes``.
            colour: (3,) in [0, 1].
            reach: Half the side of a square, or half width and half height of a box, that holds the shape.
            x: Centre, a number or one a frame, in local units.
            y: The same, downwards.
            alpha: Opacity, a number or one a frame.
            angle: Rotation in radians, clockwise on screen.
            pattern: Added to the colour, from local coordinates.
            **sizes: Passed to ``shape``; a number or one a frame.
        """
        wide, high = self._patch(reach)
        left_x, offset_x = self._corner(self.x + self.scale * np.asarray(x), 0, wide)
        top_y, offset_y = self._corner(self.y + self.scale * np.asarray(y), 1, high)
        opacity = np.broadcast_to(np.asarray(alpha, dtype=np.float32), (self.n_frames,))
        height, width = self.pixels.shape[2:]
        seen = (opacity > _FAINT) & (left_x < width) & (left_x > -wide) & (top_y < height) & (top_y > -high)
        which = np.flatnonzero(seen)
        if len(which) == 0:
            return
        unit = np.float32(1.0 / (self.side_px * self.scale))
        steps = np.arange(max(wide, high), dtype=np.float32) + np.float32(0.5)
        across = ((steps[None, :wide] - offset_x[which, None]) * unit)[:, None, :]
        down = ((steps[None, :high] - offset_y[which, None]) * unit)[:, :, None]
        u, v = _rotate(across, down, _pick(angle, which))
        distance = shape(u, v, **{name: _pick(size, which) for name, size in sizes.items()})
        cover = np.clip(np.float32(0.5) - distance / unit, 0.0, 1.0) * opacity[which, None, None]
        shade = None if pattern is None else np.broadcast_to(pattern(u, v), cover.shape)
        self._blend(which, left_x[which], top_y[which], cover, colour, shade)

    def line(
        self,
        start: tuple[PerFrame, PerFrame],
        end: tuple[PerFrame, PerFrame],
        width: float,
        colour: Colour,
        *,
        alpha: PerFrame = 1.0,
    ) -> None:
        """Paint a thick line with round ends, in local units; every end may move."""
        (x0, y0), (x1, y1) = start, end
        hx, hy = (np.asarray(x1) - x0) / 2.0, (np.asarray(y1) - y0) / 2.0
        reach = (float(np.abs(hx).max()) + width, float(np.abs(hy).max()) + width)
        self.paint(capsule, colour, reach=reach, x=x0 + hx, y=y0 + hy, alpha=alpha, hx=hx, hy=hy, r=width / 2.0)

    def sprinkle(
        self,
        frame: npt.NDArray[np.int64],
        x: npt.NDArray[Any],
        y: npt.NDArray[Any],
        size: tuple[float, float],
        colour: Colour,
        alpha: float,
    ) -> None:
        """Paint many small soft specks in one go.

        Args:
            frame: Frame of each speck, shape (n,).
            x: Centre in local units, shape (n,).
            y: The same, downwards.
            size: Half width and half height in local units.
            colour: (3,) in [0, 1].
            alpha: Opacity of one speck.
        """
        if len(frame) == 0:
            return
        height, width = self.pixels.shape[2:]
        scale_px = self.scale * self.side_px
        half = np.maximum(np.asarray(size, dtype=np.float32) * scale_px, 0.5)
        cx = (self.x + self.scale * x + self.camera[frame, 0]) * self.side_px
        cy = (self.y + self.scale * y + self.camera[frame, 1]) * self.side_px
        cols, wx = _soft_edge(cx, float(half[0]))
        rows, wy = _soft_edge(cy, float(half[1]))
        weight = wy[:, :, None] * wx[:, None, :] * np.float32(alpha)
        inside = ((rows >= 0) & (rows < height))[:, :, None] & ((cols >= 0) & (cols < width))[:, None, :]
        flat = (frame[:, None, None] * height + rows[:, :, None]) * width + cols[:, None, :]
        count = self.n_frames * height * width
        layer = np.bincount(flat[inside], weights=weight[inside], minlength=count).astype(np.float32)
        cover = np.minimum(layer, 1.0).reshape(self.n_frames, height, width)
        at_frame, at_row, at_col = np.nonzero(cover)
        under = self.pixels[at_frame, :, at_row, at_col]
        under += cover[at_frame, at_row, at_col][:, None] * (colour - under)
        self.pixels[at_frame, :, at_row, at_col] = under

    def _patch(self, reach: float | tuple[float, float]) -> tuple[int, int]:
        across, down = reach if isinstance(reach, tuple) else (reach, reach)
        scale_px = 2.0 * self.scale * self.side_px
        return int(np.ceil(across * scale_px)) + 2, int(np.ceil(down * scale_px)) + 2

    def _corner(self, centre: npt.NDArray[Any], axis: int, side: int) -> tuple[npt.NDArray[np.int64], Grid]:
        centre_px = (centre + self.camera[:, axis]) * self.side_px
        corner = np.floor(centre_px - side / 2.0).astype(np.int64)
        return corner, (centre_px - corner).astype(np.float32)

    def _blend(
        self,
        which: npt.NDArray[np.int64],
        left_x: npt.NDArray[np.int64],
        top_y: npt.NDArray[np.int64],
        cover: Grid,
        colour: Colour,
        shade: Grid | None,
    ) -> None:
        height, width = self.pixels.shape[2:]
        high, wide = cover.shape[1:]
        ink = colour[:, None, None]
        for k, (frame, left, top) in enumerate(zip(which.tolist(), left_x.tolist(), top_y.tolist(), strict=True)):
            rows = slice(max(-top, 0), min(high, height - top))
            cols = slice(max(-left, 0), min(wide, width - left))
            target = self.pixels[frame, :, max(top, 0) : top + rows.stop, max(left, 0) : left + cols.stop]
            paint = ink if shade is None else ink + shade[k, rows, cols]
            target += cover[k, rows, cols] * (paint - target)


def blank(side_px: int, colour: Colour, *, margin: float) -> Canvas:
    """Return a one-frame canvas with a margin all round (in frame widths), filled with a colour."""
    margin_px = int(np.ceil(margin * side_px))
    pixels = np.empty((1, 3, side_px + 2 * margin_px, side_px + 2 * margin_px), dtype=np.float32)
    pixels[...] = colour[None, :, None, None]
    camera = np.full((1, 2), margin_px / side_px, dtype=np.float32)
    return Canvas(pixels=pixels, side_px=side_px, camera=camera)


def film(backdrop: Canvas, camera: Grid) -> Canvas:
    """Return a canvas of one frame per row of ``camera``, each the backdrop shifted by that much.

    Args:
        backdrop: From ``blank``, with a margin no smaller than the largest shift.
        camera: (T, 2) shifts in frame widths.
    """
    side = backdrop.side_px
    margin = (backdrop.pixels.shape[3] - side) // 2
    pixels = np.empty((len(camera), 3, side, side), dtype=np.float32)
    source = backdrop.pixels[0]
    if not camera.any():
        pixels[...] = source[None, :, margin : margin + side, margin : margin + side]
        return Canvas(pixels=pixels, side_px=side, camera=camera)
    corner = margin - camera * side
    whole = np.clip(np.floor(corner), 0, 2 * margin - 1).astype(np.int64)
    part = (corner - whole).astype(np.float32)
    for k, ((x, y), (fx, fy)) in enumerate(zip(whole.tolist(), part.tolist(), strict=True)):
        patch = source[:, y : y + side + 1, x : x + side + 1]
        patch = patch[:, :-1] + np.float32(fy) * (patch[:, 1:] - patch[:, :-1])
        np.add(patch[:, :, :-1], np.float32(fx) * (patch[:, :, 1:] - patch[:, :, :-1]), out=pixels[k])
    return Canvas(pixels=pixels, side_px=side, camera=camera)


def develop(canvas: Canvas) -> FrameArray:
    """Return the frames as (T, H, W, 3) uint8; the canvas is used up, which saves a copy."""
    levels = canvas.pixels
    levels *= np.float32(255.0)
    levels += np.float32(0.5)
    np.clip(levels, 0.0, 255.0, out=levels)
    frames = np.empty((levels.shape[0], *levels.shape[2:], 3), dtype=np.uint8)
    for channel in range(3):
        frames[..., channel] = levels[:, channel].astype(np.uint8)
    return frames


def _pick(value: PerFrame, which: npt.NDArray[np.int64]) -> Grid | np.float32:
    array = np.asarray(value, dtype=np.float32)
    return np.float32(array) if array.ndim == 0 else array[which, None, None]


def _rotate(u: Grid, v: Grid, angle: Grid | np.float32) -> tuple[Grid, Grid]:
    if not np.any(angle):
        return u, v
    cos, sin = np.cos(angle), np.sin(angle)
    return u * cos + v * sin, v * cos - u * sin


def _soft_edge(centre_px: Grid, half_px: float) -> tuple[npt.NDArray[np.int64], Grid]:
    span = int(np.ceil(2 * half_px)) + 2
    first = np.floor(centre_px - span / 2.0).astype(np.int64)
    places = first[:, None] + np.arange(span)
    away = np.abs(places + 0.5 - centre_px[:, None])
    return places, np.clip(half_px + 0.5 - away, 0.0, 1.0).astype(np.float32)
