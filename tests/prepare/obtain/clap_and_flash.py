"""Make a video that flashes and claps at the same known times, and find both again."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile

from foleybench.api.dataset import Sample
from foleybench.media.read import decode_mp4

RATE_HZ = 16000


def times_s(duration_s: float, fps: float = 30.0) -> list[float]:
    """Return when it claps: at the time of a frame, in gaps that never repeat, so that no cut looks like another."""
    found, time_s, gap_s = [], 0.35, 0.8
    while time_s < duration_s - 0.1:
        found.append(round(time_s * fps) / fps)
        time_s, gap_s = time_s + gap_s, 0.7 + (gap_s * 1.37) % 0.6
    return found


def write(path: Path, duration_s: float, *, fps: float = 30.0, gop: int = 250, b_frames: int = 2) -> Path:
    """Write the video: keyframes far apart, frames out of order, AAC audio, as video sites send them."""
    claps = times_s(duration_s, fps)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        video.codec_context.thread_count = 1
        video.options = {"g": str(gop), "bf": str(b_frames), "sc_threshold": "0", "preset": "ultrafast", "crf": "23"}
        sound = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        lit = {round(t * fps) for t in claps}
        ramp = np.linspace(16, 60, 96, dtype=np.uint8)[None, :, None]
        for index in range(round(duration_s * fps)):
            image = np.broadcast_to(np.roll(ramp, index, axis=1), (64, 96, 3)).copy()
            image[8:56, 16:80] = 235 if index in lit or index - 1 in lit else image[8:56, 16:80]
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode())
        audio = np.random.default_rng(0).normal(0, 1e-3, round(duration_s * RATE_HZ)).astype(np.float32)
        burst = np.sin(2 * np.pi * 2000 * np.arange(320) / RATE_HZ) * np.exp(-np.arange(320) / 80)
        for clap_s in claps:
            start = round(clap_s * RATE_HZ)
            audio[start : start + 320] += 0.8 * burst.astype(np.float32)[: len(audio) - start]
        for start in range(0, len(audio), 1024):
            part = np.ascontiguousarray(audio[None, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = RATE_HZ, Fraction(1, RATE_HZ), start
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    return path


def seen_s(sample: Sample) -> list[float]:
    """Return when the video of a clip lights up."""
    frames, times = decode_mp4(sample.mp4)
    level = frames[:, 20:44, 30:66].reshape(len(frames), -1).mean(axis=1)
    lit = level > 150
    return [float(times[k]) for k in range(1, len(lit)) if lit[k] and not lit[k - 1]]


def heard_s(sample: Sample) -> list[float]:
    """Return when the audio of a clip claps."""
    audio, rate_hz = soundfile.read(io.BytesIO(sample.flac), dtype="float32")
    loud = np.flatnonzero(np.abs(audio) > 0.2)
    starts = loud[np.insert(np.diff(loud) > 0.3 * rate_hz, 0, True)]
    return [float(start) / rate_hz for start in starts]
