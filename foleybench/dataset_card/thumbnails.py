"""Draw thumbnails: four frames of a clip side by side."""

from __future__ import annotations

import io

import av
import numpy as np
from av.video.frame import VideoFrame

from foleybench.clips import Clock, FrameArray
from foleybench.media.frames import Fitter, rgb
from foleybench.media.h264 import decode_mp4

_HEIGHT_PX = 72
_MOMENTS = 4
_MOST_WIDTH_PX = 160


def film_strip(mp4: bytes) -> bytes:
    """Return four moments of a clip, side by side, as JPEG.

    Raises:
        MediaError: The clip does not decode.
    """
    frames, times_s = decode_mp4(mp4)
    duration_s = float(times_s[-1]) + (float(times_s[1]) if len(times_s) > 1 else 0.04)
    chosen = frames[Clock.nearest(times_s, Clock(duration_s).centres(_MOMENTS))]
    fitter = Fitter(short_side_px=_HEIGHT_PX)
    small = [rgb(fitter.fit(VideoFrame.from_ndarray(np.ascontiguousarray(f), format="rgb24"), "rgb24")) for f in chosen]
    return jpeg(np.concatenate([image[:, :_MOST_WIDTH_PX] for image in small], axis=1))


def jpeg(image: FrameArray) -> bytes:
    """Return an image (H, W, 3) as JPEG; the sides are cut to even numbers."""
    even = np.ascontiguousarray(image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2])
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mjpeg", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.height, stream.width = even.shape[:2]
        stream.pix_fmt = "yuvj420p"
        stream.codec_context.thread_count = 1
        stream.options = {"qmin": "4", "qmax": "4"}
        container.mux(stream.encode(VideoFrame.from_ndarray(even, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()
