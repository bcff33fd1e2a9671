"""Put a video stream on the clip's clock as constant-rate H.264.

Frames come in at their own times; motion is measured as they pass.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from foleybench.api.dataset import Profile
from foleybench.clips import FloatArray
from foleybench.media.demux import frame_length_s
from foleybench.media.frames import Fitter, is_hdr
from foleybench.media.h264 import Mp4Writer
from foleybench.prepare.normalise.fingerprint import part_levels

# A video is still when at no time more than this share of its pixels is more than so many levels off the first frame:
# the flicker of a codec stays below, a small thing that moves does not.
STILL_LEVELS = 8
STILL_SHARE = 0.005
# Mean change from frame to frame, in levels, under which nothing but the codec works.
_STILL_MOTION = 0.25
# Every so many pixels are looked at, in both directions, and every so many frames are kept for the fingerprint.
_STEP_PX = 4
_LOOK_FRAMES = 5


class PictureTrack:
    """Takes decoded frames and writes them at k / fps; also measures motion.

    The frame written at k / fps is the one on screen half a grid step later: an event is then shown at most half a
    step early or late. The frame on screen at k / fps itself would show events up to a whole step late, never early.

    Attributes:
        first_s: Time of the first frame, None before it.
        end_s: Time after the last frame.
        source_size: Width and height of the first frame.
        hdr: Whether the first frame has the transfer curve of high dynamic range.
        motion_watch: Which pixels moved, and when.
    """

    def __init__(self, profile: Profile, aspect: float) -> None:
        self.first_s: float | None = None
        self.end_s = 0.0
        self.source_size: tuple[int, int] = (0, 0)
        self.hdr = False
        self.motion_watch = MotionWatch()
        self._n_max = math.ceil(profile.clip_s * profile.fps - 1e-6)
        self._fps = profile.fps
        self._fitter = Fitter(short_side_px=profile.short_side_px, square_px=profile.square_px, aspect=aspect)
        self._writer: Mp4Writer | None = None
        self._held: VideoFrame | None = None
        self._held_s = 0.0
        self._usual_s = 0.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of what is written."""
        return self._fitter.width_px, self._fitter.height_px

    @property
    def done(self) -> bool:
        """Whether every frame of the longest clip is written."""
        return self._writer is not None and self._writer.n_frames >= self._n_max

    def add(self, frame: VideoFrame, time_s: float) -> None:
        """Take one decoded frame; a timestamp that goes back leaves the frame on screen."""
        if self._held is None:
            self.first_s, self.source_size = max(0.0, time_s), (frame.width, frame.height)
            self.hdr = is_hdr(frame)
            # Before the first frame, the first frame is shown.
            self._held = frame
        elif time_s <= self._held_s:
            return
        else:
            self._usual_s = time_s - self._held_s
        # A frame exactly between two grid times belongs to the later one, so that a source of twice the rate keeps
        # every second frame at its own time.
        self._write_until(time_s - 0.5 / self._fps + 2e-6)
        self._held, self._held_s = frame, time_s
        self.end_s = time_s + (frame_length_s(frame) or self._usual_s)

    def finish(self, duration_s: float) -> tuple[bytes, int]:
        """Hold the last frame to the end; return the file and its number of frames."""
        written = self._writer.n_frames if self._writer else 0
        self._n_max = max(1, written, min(self._n_max, round(duration_s * self._fps)))
        self._write_until(math.inf)
        assert self._writer is not None
        return self._writer.finish(), self._writer.n_frames

    def _write_until(self, time_s: float) -> None:
        """Show the held frame at every grid time before ``time_s``; it is scaled once, and only if it is shown."""
        image: VideoFrame | None = None
        while not self.done and (self._writer.n_frames if self._writer else 0) / self._fps < time_s - 1e-6:
            assert self._held is not None
            if image is None:
                image = self._fitter.fit(self._held, "yuv420p")
                self.motion_watch.show(_luma(image))
            else:
                self.motion_watch.hold()
            if self._writer is None:
                self._writer = Mp4Writer(*self.size, self._fps)
            self._writer.add(image)


class MotionWatch:
    """Measures motion and levels of frames on every fourth pixel.

    Attributes:
        moves: Whether anything has moved.
        motion: Mean change of each shown frame against the one before, in levels; 0 for the first and for held ones.
        looks: ``part_levels`` of every fifth shown frame.
    """

    def __init__(self) -> None:
        self.moves = False
        self.motion: list[float] = []
        self.looks: list[FloatArray] = []
        self._first: npt.NDArray[np.int16] | None = None
        self._last: npt.NDArray[np.int16] | None = None

    def show(self, luma: npt.NDArray[np.int16]) -> None:
        """Add a new frame, shape (H, W) after taking every fourth pixel."""
        self._first = luma if self._first is None else self._first
        if not self.moves:
            n_changed = np.count_nonzero(np.abs(luma - self._first) > STILL_LEVELS)
            self.moves = bool(n_changed > STILL_SHARE * luma.size)
        self.motion.append(0.0 if self._last is None else float(np.abs(luma - self._last).mean()))
        self._last = luma
        self._look()

    def hold(self) -> None:
        """Add the last frame once more: it was held."""
        self.motion.append(0.0)
        self._look()

    def still_share(self, fps: float) -> float:
        """Return the share of the clip's seconds in which nothing changes, 0 to 1."""
        n = max(1, round(fps))
        seconds = [max(self.motion[at : at + n]) for at in range(0, len(self.motion), n)]
        return float(np.mean([change < _STILL_MOTION for change in seconds])) if seconds else 1.0

    def _look(self) -> None:
        if (len(self.motion) - 1) % _LOOK_FRAMES == 0 and self._last is not None:
            self.looks.append(part_levels(self._last))


def _luma(image: VideoFrame) -> npt.NDArray[np.int16]:
    plane = image.planes[0]
    rows = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(plane.height, plane.line_size)
    return rows[::_STEP_PX, : plane.width : _STEP_PX].astype(np.int16)
