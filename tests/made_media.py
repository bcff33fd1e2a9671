"""Media files made for the tests: frames are told apart by grey level, sounds by a click at a known time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE_HZ = 16000


def grey(index: int) -> int:
    """Return the level of frame ``index``; levels are 8 apart, so that a codec cannot confuse neighbours."""
    return 16 + 8 * (index % 28)


def index_of(image: np.ndarray) -> int:
    """Return the number that a frame shows."""
    return round((float(image.mean()) - 16) / 8)


def pictures(n: int, width: int = 64, height: int = 48) -> np.ndarray:
    """Return ``n`` plain grey frames."""
    levels = np.array([grey(k) for k in range(n)], dtype=np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (n, height, width, 3)).copy()


def click(at_s: float, duration_s: float, rate_hz: int = RATE_HZ, level: float = 0.5) -> np.ndarray:
    """Return silence with a short burst at ``at_s``."""
    audio = np.zeros(round(duration_s * rate_hz), dtype=np.float32)
    start = round(at_s * rate_hz)
    audio[start : start + 160] = level
    return audio


def click_time_s(audio: np.ndarray, rate_hz: int) -> float:
    """Return when the burst starts."""
    return int(np.argmax(np.abs(audio) > 0.5 * np.abs(audio).max())) / rate_hz


def write_video(
    path: Path,
    frames: np.ndarray | None,
    *,
    fps: float = 25.0,
    times_s: list[float] | None = None,
    audio: np.ndarray | None = None,
    rate_hz: int = RATE_HZ,
    audio_start_s: float = 0.0,
    codec: str = "libx264",
    audio_codec: str = "aac",
    matrix: list[int] | None = None,
    aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
    curve: int | None = None,
) -> Path:
    """Write a media file with frames at ``times_s`` (default: k / fps) and audio (channels, N) or (N,).

    ``curve`` is the number of a transfer curve (ITU-T H.273) that the video claims to have.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=options or {}) as container:
        video = None if frames is None else _video_stream(container, frames, fps, codec, matrix, aspect)
        sound = None if audio is None else _audio_stream(container, np.atleast_2d(audio), rate_hz, audio_codec)
        if video is not None and frames is not None:
            if curve is not None:
                video.codec_context.color_trc = curve
            stamps = times_s if times_s is not None else [k / fps for k in range(len(frames))]
            for image, time_s in zip(frames, stamps, strict=True):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                frame.time_base = video.codec_context.time_base
                frame.pts = round(time_s / video.codec_context.time_base)
                container.mux(video.encode(frame))
            container.mux(video.encode())
        if sound is not None and audio is not None:
            _write_audio(container, sound, np.atleast_2d(audio), rate_hz, audio_start_s)
    return path


def _video_stream(container, frames, fps, codec, matrix, aspect):
    stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
    stream.height, stream.width = frames.shape[1:3]
    stream.pix_fmt = "yuv420p"
    stream.codec_context.thread_count = 1
    stream.codec_context.time_base = 1 / Fraction(fps).limit_denominator(1001)
    if codec == "libx264":
        stream.codec_context.time_base = Fraction(1, 12000)
        stream.options = {"crf": "12", "preset": "ultrafast", "bf": "0", "threads": "1"}
    if aspect is not None:
        stream.codec_context.sample_aspect_ratio = aspect
    if matrix is not None:
        stream.set_display_matrix(matrix)
    return stream


def _audio_stream(container, audio, rate_hz, codec):
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(audio)]
    return container.add_stream(codec, rate=rate_hz, layout=layout)


def _write_audio(container, stream, audio, rate_hz, start_s):
    layout = stream.codec_context.layout.name
    for start in range(0, audio.shape[1], 1024):
        part = np.ascontiguousarray(audio[:, start : start + 1024], dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
        frame.sample_rate, frame.time_base = rate_hz, Fraction(1, rate_hz)
        frame.pts = start + round(start_s * rate_hz)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
