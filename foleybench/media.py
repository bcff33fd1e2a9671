"""Video files through PyAV: decode to frames with timestamps, encode to reproducible H.264.

x264 gives the same bytes for the same thread count and other bytes for another, so one thread is used everywhere and
clips are processed in parallel instead.
"""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np

from foleybench.clips import FloatArray, FrameArray
from foleybench.errors import MediaError

_CLOCK_HZ = 90000


def encode_mp4(frames: FrameArray, fps: float, *, crf: int = 18, preset: str = "veryfast") -> bytes:
    """Encode frames as H.264 in MP4: one thread, no B-frames (so decode order is display order), start at 0.

    Args:
        frames: (T, H, W, 3) uint8 RGB with even H and W.
        fps: Frames per second; any positive number.
        crf: Quality of x264.
        preset: Speed preset of x264.

    Returns:
        The file's bytes; identical for identical input and library versions.
    """
    buffer = io.BytesIO()
    rate = Fraction(fps).limit_denominator(1001)
    with av.open(buffer, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        stream.options = {"crf": str(crf), "preset": preset, "bf": "0", "threads": "1"}
        for index, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts = index
            frame.time_base = 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def decode_mp4(data: bytes) -> tuple[FrameArray, FloatArray]:
    """Decode one of our own shard members: every frame, with its timestamp.

    Returns:
        Frames (T, H, W, 3) uint8 RGB and their times in seconds, shape (T,).

    Raises:
        MediaError: ``undecodable`` when there is no picture or the stream is broken.
    """
    frames, times = [], []
    try:
        with av.open(io.BytesIO(data)) as container:
            stream = container.streams.video[0]
            stream.thread_count = 1
            for frame in container.decode(stream):
                frames.append(frame.to_ndarray(format="rgb24"))
                times.append(float(frame.time or 0.0))
    except (av.error.FFmpegError, IndexError) as error:
        raise MediaError("undecodable", f"mp4 member: {error}") from error
    if not frames:
        raise MediaError("undecodable", "mp4 member holds no frame")
    return np.stack(frames), np.asarray(times, dtype=np.float64)
