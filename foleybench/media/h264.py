"""Write and read H.264 in MP4, reproducible to the byte.

x264 gives the same bytes for the same thread count and other bytes for another, so one thread is used everywhere and
clips are processed in parallel instead.
"""

from __future__ import annotations

import io
from fractions import Fraction

import av
import av.codec.context
import av.error
import numpy as np
from av.container import OutputContainer
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from foleybench.clips import FloatArray, FrameArray
from foleybench.errors import MediaError
from foleybench.media.frames import rgb


class Mp4Writer:
    """Encodes frames one by one as H.264 in MP4: one thread, no B-frames (decode order is display order), start at 0.

    The bytes are identical for identical frames and library versions.
    """

    def __init__(self, width_px: int, height_px: int, fps: float, *, crf: int = 18, preset: str = "veryfast") -> None:
        """Start a file in memory; the sides must be even."""
        self._buffer = io.BytesIO()
        rate = Fraction(fps).limit_denominator(1001)
        self._time_base = 1 / rate
        self._container = av.open(self._buffer, "w", format="mp4", options={"fflags": "+bitexact"})
        self._stream = add_h264(self._container, width_px, height_px, rate, crf=crf, preset=preset)
        self.n_frames = 0

    def add(self, frame: VideoFrame) -> None:
        """Append a frame of the writer's size."""
        image = reproducible(frame)
        image.pts = self.n_frames
        image.time_base = self._time_base
        self._container.mux(self._stream.encode(image))
        self.n_frames += 1

    def finish(self) -> bytes:
        """Return the whole file."""
        self._container.mux(self._stream.encode())
        self._container.close()
        return self._buffer.getvalue()


def reproducible(frame: VideoFrame) -> VideoFrame:
    """Return the frame as ``yuv420p`` with nothing left beside the image itself.

    x264 reads a little beyond the right edge at some widths (340x90 is one). What lies there is whatever the memory
    held before, so the same frame would give other bytes from run to run.
    """
    image = frame.reformat(format="yuv420p", threads=1)
    image.make_writable()
    for plane in image.planes:
        rows = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(plane.height, plane.line_size)
        rows[:, plane.width :] = 0
    # The source's picture type (I, P or B) would force key frames where the source had them.
    image.pict_type = PictureType.NONE
    return image


def add_h264(
    container: OutputContainer,
    width_px: int,
    height_px: int,
    rate: Fraction,
    *,
    crf: int = 18,
    preset: str = "veryfast",
) -> VideoStream:
    """Add a reproducible one-thread H.264 stream to a container.

    Macroblock-tree rate control is off: at some sizes its assembly reads memory that was never written, and the bytes
    then depend on what the process did before.
    """
    stream = container.add_stream("libx264", rate=rate)
    stream.width, stream.height = width_px, height_px
    stream.pix_fmt = "yuv420p"
    stream.codec_context.thread_count = 1
    stream.codec_context.flags |= av.codec.context.Flags.bitexact
    stream.options = {"crf": str(crf), "preset": preset, "bf": "0", "threads": "1", "mbtree": "0"}
    return stream


def encode_mp4(frames: FrameArray, fps: float, *, crf: int = 18, preset: str = "veryfast") -> bytes:
    """Encode frames as H.264 in MP4.

    Args:
        frames: (T, H, W, 3) uint8 RGB with even H and W.
        fps: Frames per second; any positive number.
        crf: Quality of x264.
        preset: Speed preset of x264.

    Returns:
        The file's bytes; identical for identical input and library versions.
    """
    writer = Mp4Writer(frames.shape[2], frames.shape[1], fps, crf=crf, preset=preset)
    for image in frames:
        writer.add(VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24"))
    return writer.finish()


def decode_mp4(data: bytes) -> tuple[FrameArray, FloatArray]:
    """Decode one of our own shard members: every frame, with its timestamp.

    Returns:
        Frames (T, H, W, 3) uint8 RGB and their times in seconds, shape (T,).

    Raises:
        MediaError: ``undecodable`` when there is no video or the stream is broken.
    """
    frames, times = [], []
    try:
        with av.open(io.BytesIO(data), "r") as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            for frame in container.decode(stream):
                frames.append(rgb(frame.reformat(format="rgb24", threads=1)))
                times.append(float(frame.time or 0.0))
    except (av.error.FFmpegError, IndexError) as error:
        raise MediaError("undecodable", f"mp4 member: {error}") from error
    if not frames:
        raise MediaError("undecodable", "mp4 member holds no frame")
    return np.stack(frames), np.asarray(times, dtype=np.float64)
