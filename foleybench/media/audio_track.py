"""A sound stream put on the container's clock: mono, gaps as silence, overlaps cut."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.plane import AudioPlane

from foleybench.clips import AudioArray
from foleybench.errors import MediaError

# Containers round timestamps (FLV and Matroska to 1 ms, some muxers to a whole frame): below this, sound is continuous.
JITTER_S = 0.05
# How several channels become one; ``first`` and ``last`` are the two sides of a stereo sound.
Mix = Literal["mean", "first", "last"]
_LOW_FREQUENCY = frozenset({"LFE", "LFE2"})
# Layouts of more channels have names (5.1) that do not name each; of one or two, a subwoofer stands in the name.
_MOST_WITHOUT_LFE = 2
_KINDS: dict[str, type[np.generic]] = {
    "u8": np.uint8,
    "s16": np.int16,
    "s32": np.int32,
    "s64": np.int64,
    "flt": np.float32,
    "dbl": np.float64,
}


class SoundTrack:
    """Collects decoded sound and lays it on one clock.

    Attributes:
        rate_hz: Sample rate of the first frame, 0 before it.
        n_channels: Channels of the first frame.
        first_s: Time of the first sample, None before it.
        end_s: Time after the last sample, inside the limit.
    """

    def __init__(self, *, max_s: float = float("inf"), channels: Mix = "mean") -> None:
        self.rate_hz = 0
        self.n_channels = 0
        self.first_s: float | None = None
        self.end_s = 0.0
        self._max_s = max_s
        self._channels: Mix = channels
        self._cursor = 0
        self._parts: list[tuple[int, AudioArray]] = []

    @property
    def done(self) -> bool:
        """Whether the limit is reached."""
        return self.end_s >= self._max_s

    def add(self, frame: AudioFrame, time_s: float) -> None:
        """Add one decoded frame that starts at ``time_s`` on the clip's clock.

        Raises:
            MediaError: ``not_finite`` when a sample is NaN or infinite.
        """
        if self.rate_hz == 0:
            self.rate_hz, self.n_channels = frame.sample_rate, frame.layout.nb_channels
        samples = mono(frame, self._channels)
        if frame.sample_rate != self.rate_hz:
            # A change of rate in mid-stream; linear is enough for what is nearly always a broken header.
            samples = _stretch(samples, self.rate_hz / frame.sample_rate)
        start = round(time_s * self.rate_hz)
        if self._parts and abs(start - self._cursor) <= JITTER_S * self.rate_hz:
            start = self._cursor
        overlap = max(0, self._cursor - start) if self._parts else max(0, -start)
        if overlap >= len(samples):
            return
        self.first_s = max(0.0, time_s) if self.first_s is None else self.first_s
        self._parts.append((start + overlap, samples[overlap:]))
        self._cursor = start + len(samples)
        self.end_s = self._cursor / self.rate_hz

    def samples(self, n: int | None = None) -> AudioArray:
        """Return the sound from time 0: ``n`` samples, or as many as there are; what was not heard is silence."""
        length = self._cursor if n is None else n
        track = np.zeros(length, dtype=np.float32)
        for start, part in self._parts:
            stop = min(length, start + len(part))
            if start < stop:
                track[start:stop] = part[: stop - start]
        return track


def mono(frame: AudioFrame, mix: Mix = "mean") -> AudioArray:
    """Return a frame as mono float32: the mean of its channels, low-frequency effects left out, or one channel.

    A plain mean keeps the level of a sound that is in all channels and is the same on every machine; the subwoofer
    channel of 5.1 repeats what the others hold.

    Raises:
        MediaError: ``not_finite`` when a sample is NaN or infinite.
    """
    layout = frame.layout
    n_channels = layout.nb_channels
    channels = _channels(frame, n_channels)
    # Only these few ask for the names of channels, which PyAV makes anew for every frame.
    heard = _heard(layout) if "LFE" in layout.name or n_channels > _MOST_WITHOUT_LFE else list(range(n_channels))
    values = _as_float(channels[heard] if 0 < len(heard) < n_channels else channels)
    # The same as ``mean``, at a third of its cost for so few values.
    several = len(values) > 1 and mix == "mean"
    mixed = np.add.reduce(values, axis=0) / np.float32(len(values)) if several else values[-1 if mix == "last" else 0]
    if not np.isfinite(mixed).all():
        raise MediaError("not_finite", "the sound holds samples that are NaN or infinite")
    return np.ascontiguousarray(mixed, dtype=np.float32)


def _heard(layout: AudioLayout) -> list[int]:
    return [i for i, channel in enumerate(layout.channels) if channel.name not in _LOW_FREQUENCY]


def _channels(frame: AudioFrame, n_channels: int) -> npt.NDArray[np.generic]:
    """Return the samples as (channels, N).

    Not ``to_ndarray``: PyAV 18.1 takes one plane too many from a planar frame of eight channels or more and reads
    memory that is not there.

    Raises:
        MediaError: ``unsupported_codec`` for a kind of sample that is not read.
    """
    kind = _KINDS.get(frame.format.packed.name)
    if kind is None:
        raise MediaError("unsupported_codec", f"the sound has samples of kind {frame.format.name}, which is not read")
    if not frame.format.is_planar:
        return _values(frame.planes[0], kind, frame.samples * n_channels).reshape(-1, n_channels).T
    planes = [_values(plane, kind, frame.samples) for plane in frame.planes[:n_channels]]
    return np.concatenate(planes).reshape(n_channels, -1)


def _values(plane: AudioPlane, kind: type[np.generic], n: int) -> npt.NDArray[np.generic]:
    return np.frombuffer(memoryview(plane), dtype=kind, count=n)


def limit_rate(audio: AudioArray, rate_hz: int, rate_hz_max: int) -> tuple[AudioArray, int]:
    """Bring sound above ``rate_hz_max`` down to it; anything else keeps its rate."""
    if rate_hz <= rate_hz_max:
        return audio, rate_hz
    # Only reached by high-resolution sound; scipy.signal is slow to import.
    from scipy.signal import resample_poly

    ratio = np.gcd(rate_hz, rate_hz_max)
    lowered = resample_poly(audio, rate_hz_max // ratio, rate_hz // ratio)
    return np.asarray(lowered, dtype=np.float32), rate_hz_max


def _as_float(values: npt.NDArray[np.generic]) -> AudioArray:
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    if values.dtype == np.uint8:
        return (values.astype(np.float32) - 128.0) / 128.0
    return values.astype(np.float32) / np.float32(2.0 ** (8 * values.dtype.itemsize - 1))


def _stretch(samples: AudioArray, factor: float) -> AudioArray:
    wanted = np.arange(round(len(samples) * factor)) / factor
    return np.interp(wanted, np.arange(len(samples)), samples).astype(np.float32)
