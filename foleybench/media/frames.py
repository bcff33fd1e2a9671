"""Make decoded frames upright, square-pixelled and of the wanted size."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from foleybench.clips import FrameArray, IntArray

# The smallest side that H.264 and every reader take without special cases: one macroblock.
MIN_SIDE_PX = 16
# Pixel aspect ratios beyond this come from broken headers, not from cameras.
MAX_PIXEL_ASPECT = 8.0
# Transfer curves of high dynamic range (ITU-T H.273): perceptual quantiser and hybrid log-gamma.
_HDR_CURVES = frozenset({16, 18})


class Turn:
    """The orientation that a display matrix asks for: a transposition, then a flip of either axis.

    Only the eight quarter turns and mirrors exist; a matrix of anything else (some files hold nonsense) is ignored.

    Attributes:
        transpose: Whether rows and columns change places.
        flip_x: Whether the result is mirrored left to right.
        flip_y: Whether the result is mirrored top to bottom.
    """

    def __init__(self, frame: VideoFrame) -> None:
        self.transpose = self.flip_x = self.flip_y = False
        matrix = _display_matrix(frame)
        if len(matrix) < 9:
            return
        a, b, c, d = (int(matrix[i]) for i in (0, 1, 3, 4))
        if a and d and not b and not c and abs(a) == abs(d):
            self.flip_x, self.flip_y = a < 0, d < 0
        elif b and c and not a and not d and abs(b) == abs(c):
            self.transpose, self.flip_x, self.flip_y = True, c < 0, b < 0

    def __bool__(self) -> bool:
        """Whether anything has to be done."""
        return self.transpose or self.flip_x or self.flip_y

    def apply(self, image: FrameArray) -> FrameArray:
        """Return the image (H, W, 3) upright."""
        turned = image.transpose(1, 0, 2) if self.transpose else image
        turned = turned[:, ::-1] if self.flip_x else turned
        turned = turned[::-1] if self.flip_y else turned
        return np.ascontiguousarray(turned)


class Fitter:
    """Turns every frame of a video upright and scales it to one size, chosen at the first frame.

    A frame that changes size in mid-stream is squeezed into the size of the first.

    Attributes:
        width_px: Width of what comes out; known after the first frame.
        height_px: Height of what comes out.
    """

    def __init__(
        self, *, short_side_px: int | None = None, square_px: int | None = None, aspect: float = 1.0, even: bool = True
    ) -> None:
        """Say what size is wanted.

        Args:
            short_side_px: Short side, scaled down to when larger, never up; None keeps the size.
            square_px: Squeeze into a square of this side instead, up or down.
            aspect: Width of a pixel over its height, as the container says.
            even: Round the sides to even numbers, which 4:2:0 video needs.
        """
        self.width_px = self.height_px = 0
        self._short_side_px, self._square_px, self._even = short_side_px, square_px, even
        self._aspect = aspect if 1 / MAX_PIXEL_ASPECT <= aspect <= MAX_PIXEL_ASPECT else 1.0
        self._turn: Turn | None = None
        self._reformatter = VideoReformatter()

    def fit(self, frame: VideoFrame, pixel_format: str) -> VideoFrame:
        """Return the frame upright, of the wanted size, in ``yuv420p`` or ``rgb24``."""
        if self._turn is None:
            self._turn = Turn(frame)
            self.width_px, self.height_px = self._size(frame, self._turn)
        if not self._turn:
            return self._scale(frame, self.width_px, self.height_px, pixel_format)
        wide, high = (self.height_px, self.width_px) if self._turn.transpose else (self.width_px, self.height_px)
        upright = self._turn.apply(rgb(self._scale(frame, wide, high, "rgb24")))
        turned = VideoFrame.from_ndarray(upright, format="rgb24")
        return self._scale(turned, self.width_px, self.height_px, pixel_format)

    def _scale(self, frame: VideoFrame, width_px: int, height_px: int, pixel_format: str) -> VideoFrame:
        # Everything comes out as BT.601 in video range, so that no reader has to look at colour tags.
        tags = (
            {} if pixel_format == "rgb24" else {"dst_colorspace": Colorspace.ITU601, "dst_color_range": ColorRange.MPEG}
        )
        return self._reformatter.reformat(
            frame, width_px, height_px, pixel_format, interpolation=Interpolation.BICUBIC, threads=1, **tags
        )

    def _size(self, frame: VideoFrame, turn: Turn) -> tuple[int, int]:
        wide, high = float(frame.width) * max(self._aspect, 1.0), float(frame.height) / min(self._aspect, 1.0)
        if turn.transpose:
            wide, high = high, wide
        if self._square_px is not None:
            wide = high = float(self._square_px)
        elif self._short_side_px is not None and min(wide, high) > self._short_side_px:
            scale = self._short_side_px / min(wide, high)
            wide, high = wide * scale, high * scale
        return self._whole(wide), self._whole(high)

    def _whole(self, side: float) -> int:
        if not self._even:
            return max(1, round(side))
        return max(MIN_SIDE_PX, 2 * round(side / 2))


def pixel_aspect(ratio: Fraction | None) -> float:
    """Return a stream's sample aspect ratio as a number; 1 when it is unknown or zero."""
    return float(ratio or 1.0)


def is_hdr(frame: VideoFrame) -> bool:
    """Whether a frame says that it has the transfer curve of high dynamic range.

    Such a frame is written as it is, without tone mapping: it looks pale.
    """
    return int(frame.color_trc) in _HDR_CURVES


def rgb(frame: VideoFrame) -> FrameArray:
    """Return an ``rgb24`` frame as (H, W, 3) uint8."""
    return np.ascontiguousarray(frame.to_ndarray(), dtype=np.uint8)


def _display_matrix(frame: VideoFrame) -> IntArray:
    # PyAV's stubs call this a TypedDict; it is a mapping from types to buffers.
    side_data = cast(SideDataContainer, frame.side_data)
    try:
        data = bytes(side_data[Type.DISPLAYMATRIX])
    except KeyError:
        data = b""
    return np.frombuffer(data, dtype=np.int32).astype(np.int64)
