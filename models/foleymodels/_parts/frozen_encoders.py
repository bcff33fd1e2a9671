"""Give models the features of large frozen encoders.

These are encoders of the benchmark like any other (extra ``encoders``), with weights fetched by name and checked; none
of them is used for scoring here. ``weights="random"`` builds the same networks untrained, to try sizes and memory;
nothing else does.
"""

from __future__ import annotations

import functools
import threading

import numpy as np
import numpy.typing as npt

from foleybench import registry
from foleybench.api.encoder import Encode, Encoder, Signal
from foleybench.clips import AudioArray, Clip, Clock
from foleybench.media.audio import resample

VIDEO_ENCODERS = {"eva_clip_g14": 1024, "eva02_clip_b16": 512, "mae_b16": 768}
AUDIO_ENCODERS = {"audiomae": 768}
_AUDIO_HZ = {"audiomae": 6.25}
_NO_AUDIO: AudioArray = np.zeros(0, dtype=np.float32)
HalfArray = npt.NDArray[np.float16]
# Clips are decoded in threads, which would each build the encoder: a cache lets all in that come before the first ends.
_BUILDING = threading.Lock()


def video_features(clip: Clip, name: str, grid_hz: float, weights: str, device: str = "cpu") -> HalfArray:
    """Return the features of a clip's frames on the model's grid.

    Args:
        clip: With its frames.
        name: Of the encoder.
        grid_hz: Features per second.
        weights: ``published`` or ``random``.
        device: Torch device of the encoder.

    Returns:
        Shape (n, dim), n = ``Clock(clip.duration_s).tokens(grid_hz)``.

    Raises:
        WeightsMissingError: The published weights are not on this machine.
    """
    signal = Signal(audio=_NO_AUDIO, duration_s=clip.duration_s, frames=clip.frames, frame_times_s=clip.frame_times_s)
    found = np.asarray(_encoder(name, weights, device)([signal])[0]["frames"])
    n = Clock(clip.duration_s).tokens(grid_hz)
    at = np.minimum((np.arange(n) + 0.5) / n * len(found), len(found) - 1).astype(np.int64)
    return found[at].astype(np.float16)


def audio_features(
    clip: Clip, name: str, token_times_s: npt.NDArray[np.float32], weights: str, device: str = "cpu"
) -> HalfArray:
    """Return the features of a clip's audio at the model's tokens, interpolated in time, each of unit size.

    Args:
        clip: With its audio.
        name: Of the encoder.
        token_times_s: Shape (n,).
        weights: ``published`` or ``random``.
        device: Torch device of the encoder.

    Returns:
        Shape (n, dim).

    Raises:
        WeightsMissingError: The published weights are not on this machine.
    """
    assert clip.audio is not None
    rate_hz = registry.load("encoders", name).rate_hz
    signal = Signal(audio=resample(clip.audio, clip.rate_hz, rate_hz), duration_s=clip.duration_s)
    found = np.asarray(_encoder(name, weights, device)([signal])[0]["tokens"], dtype=np.float32)
    times = (np.arange(len(found)) + 0.5) / _AUDIO_HZ[name]
    spread = np.stack([np.interp(token_times_s, times, column) for column in found.T], axis=1)
    centred = spread - spread.mean(1, keepdims=True)
    unit: HalfArray = (centred / np.maximum(centred.std(1, keepdims=True), 1e-6)).astype(np.float16)
    return unit


def _encoder(name: str, weights: str, device: str) -> Encode:
    with _BUILDING:
        return _built(name, weights, device)


@functools.lru_cache(maxsize=4)
def _built(name: str, weights: str, device: str) -> Encode:
    encoder: Encoder = registry.load("encoders", name)
    if weights == "random":
        assert encoder.untrained is not None, f"{name} has no untrained form"
        return encoder.untrained(device)
    return encoder.build(device)
