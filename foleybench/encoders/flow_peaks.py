"""When the video moves most, by optical flow. No weights.

Layers:
    peaks_s: (n,) float64, increasing: times of the frames to which the video moves more than to both neighbours.
    frame_s: () float64: seconds from frame to frame (the median); 0 for fewer than two frames.

Farneback's dense flow from each grey frame to the next, with the settings of TempoTokens' script; its mean length over
the frame, in pixels; strict local maxima of at least 0.1. As there, the first two frames share a value, so neither they
nor the last frame is a peak. The threshold only removes still scenes: most videos have a peak every few frames. Frames
whose short side is above 256 pixels are scaled down to that first, and lengths with them, which the script does not do.
A frame's time is the video's own, where the script divides its number by the frame rate.

Needs OpenCV (extra ``flow``), which is held to one thread.

Sources: Farneback, "Two-frame motion estimation based on polynomial expansion", SCIA 2003; Yariv et al., "Diverse and
aligned audio-to-video generation via text-to-video model adaptation", AAAI 2024; guyyariv/TempoTokens@bf0b1e3
av_align.py.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder, Features, Signal, one_by_one
from foleybench.clips import FloatArray, FrameArray

SHORT_SIDE_PX = 256
LEAST_PX = 0.1


def mean_flow(frames: FrameArray) -> FloatArray:
    """Return how far the picture moves from each frame to the next, on average, in pixels.

    Args:
        frames: Shape (T, H, W, 3) uint8.

    Returns:
        Shape (max(0, T - 1),).
    """
    import cv2

    moved, before = [], None
    for frame in frames:
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        scale = SHORT_SIDE_PX / min(grey.shape)
        if scale < 1:
            high, wide = (round(side * scale) for side in grey.shape)
            grey = cv2.resize(grey, (wide, high), interpolation=cv2.INTER_AREA)
        if before is not None:
            flow = cv2.calcOpticalFlowFarneback(
                before,
                grey,
                np.zeros((*grey.shape, 2), dtype=np.float32),
                pyr_scale=0.5,
                levels=3,
                winsize=15,
                iterations=3,
                poly_n=5,
                poly_sigma=1.2,
                flags=0,
            )
            moved.append(float(np.hypot(flow[..., 0], flow[..., 1]).mean(dtype=np.float64)))
        before = grey
    return np.asarray(moved, dtype=np.float64)


def flow_maxima(moved: FloatArray, times_s: FloatArray) -> FloatArray:
    """Return the times of the frames to which the picture moves more than to the frames before and after.

    Movements below ``LEAST_PX`` are no peaks.

    Args:
        moved: Movement from each frame to the next, shape (T - 1,).
        times_s: Times of the frames, shape (T,).

    Example:
        >>> flow_maxima(np.array([1.0, 3.0, 2.0, 2.0, 4.0]), np.arange(6) / 10.0)
        array([0.2])
    """
    if not len(moved):
        return np.zeros(0)
    track = np.concatenate([moved[:1], moved])
    inner = (track[1:-1] > track[:-2]) & (track[1:-1] > track[2:]) & (track[1:-1] >= LEAST_PX)
    return np.asarray(times_s[1:-1][inner], dtype=np.float64)


def _encode(signal: Signal) -> Features:
    assert signal.frames is not None  # the contract of modality ``video``
    assert signal.frame_times_s is not None
    times_s = signal.frame_times_s
    frame_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    return {"peaks_s": flow_maxima(mean_flow(signal.frames), times_s), "frame_s": np.asarray(frame_s, dtype=np.float64)}


def _build(device: str) -> Encode:
    import cv2

    # Clips run in parallel instead; no limit of ours reaches OpenCV's own pool.
    cv2.setNumThreads(1)
    return one_by_one(_encode)


ENCODER = Encoder(
    version=1,
    # It uses no audio; the field must hold a rate.
    rate_hz=16000,
    modality="video",
    layers={"peaks_s": (ANY,), "frame_s": ()},
    licence="MIT; OpenCV Apache-2.0",
    source="guyyariv/TempoTokens@bf0b1e3 av_align.py",
    build=_build,
)
