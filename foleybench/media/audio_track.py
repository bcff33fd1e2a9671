"""Put a decoded audio stream on the container's clock.

Gaps become silence, overlaps are cut, several channels become one.
"""

from __future__ import annotations

import math
import sys
from typing import Literal

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.plane import AudioPlane

from foleybench.clips import AudioArray
from foleybench.errors import MediaError
from foleybench.media.audio import require_rate
from foleybench.media.mixdown import Mixdown, mean, require_plausible, without_lfe

# Containers round timestamps (FLV and Matroska to 1 ms, some muxers to a whole frame): below this, audio is continuous.
JITTER_S = 0.05
# The median over this many neighbouring frames shows gaps that were closed, but not the rounding of single frames.
_MEDIAN_FRAMES = 11
# Two hours at 48 kHz, 1.4 GB: only audio without a limit of its own can get there.
MAX_SAMPLES = 2 * 3600 * 48000
# How several channels become one; ``first`` and ``last`` are the two sides of stereo audio.
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
    """Collects decoded audio and lays it on one clock; nothing beyond the limit is kept, whatever timestamps say.

    Attributes:
        rate_hz: Sample rate of the first frame, 0 before it.
        n_channels: Channels of the first frame.
        first_s: Time of the first sample, None before it.
        end_s: Time after the last sample, inside the limit.
        gaps_s: Seconds of silence put into gaps of the audio, inside the limit.
        first_gap_s: Where the first gap begins, None when there is none.
        goes_on: Whether audio follows beyond the limit without a gap.
        n_other_rate: Frames whose stated rate differs from the first frame's.
        mixdown: How much power mixing the channels loses.
    """

    def __init__(self, *, max_s: float = float("inf"), channels: Mix = "mean") -> None:
        self.rate_hz = 0
        self.n_channels = 0
        self.first_s: float | None = None
        self.end_s = 0.0
        self.gaps_s = 0.0
        self.first_gap_s: float | None = None
        self.goes_on = False
        self.n_other_rate = 0
        self.mixdown = Mixdown()
        self._max_s = max_s
        self._channels: Mix = channels
        self._cursor = 0
        self._beyond = False
        self._parts: list[tuple[int, AudioArray, AudioArray | None]] = []
        self._lags: list[int] = []

    @property
    def done(self) -> bool:
        """Whether the limit is reached."""
        return self._beyond or self.end_s >= self._max_s

    @property
    def closed_gap_s(self) -> float:
        """The largest time in seconds by which the audio comes before its timestamps (negative: after).

        Gaps and overlaps up to ``JITTER_S`` are closed, since timestamps are rounded. Rounding differs from frame to
        frame, a closed gap stays: so this is the largest median of the differences over neighbouring frames.
        """
        if not self._lags or not self.rate_hz:
            return 0.0
        lags = np.asarray(self._lags, dtype=np.float64)
        n = min(_MEDIAN_FRAMES, len(lags))
        medians = np.median(np.lib.stride_tricks.sliding_window_view(lags, n), axis=1)
        return float(medians[np.abs(medians).argmax()]) / self.rate_hz

    def add(self, frame: AudioFrame, time_s: float) -> None:
        """Add one decoded frame that starts at ``time_s`` on the clip's clock.

        Raises:
            MediaError: ``not_finite``, ``out_of_range`` or ``bad_rate`` for what no audio has.
        """
        if self.rate_hz == 0:
            require_rate(frame.sample_rate)
            self.rate_hz, self.n_channels = frame.sample_rate, frame.layout.nb_channels
        channels = _mixed_channels(frame, self._channels)
        require_plausible(channels)
        if frame.sample_rate != self.rate_hz:
            # A change of rate in mid-stream; linear is enough for what is nearly always a broken header.
            require_rate(frame.sample_rate)
            self.n_other_rate += 1
            channels = np.stack([_stretch(channel, self.rate_hz / frame.sample_rate) for channel in channels])
        start = self._place(time_s)
        limit = self._limit
        overlap = max(0, self._cursor - start) if self._parts else max(0, -start)
        if overlap >= channels.shape[1]:
            return
        if start + overlap >= limit:
            self._beyond = True
            self.goes_on = self.goes_on or start <= self._cursor
            return
        kept = channels[:, overlap:]
        self.first_s = max(0.0, time_s) if self.first_s is None else self.first_s
        mixed = np.ascontiguousarray(self.mixdown.add(kept), dtype=np.float32)
        self._parts.append((start + overlap, mixed, kept if len(kept) > 1 else None))
        self._cursor = start + overlap + kept.shape[1]
        self.end_s = self._cursor / self.rate_hz
        self.goes_on = self._cursor > limit

    @property
    def _limit(self) -> int:
        return sys.maxsize if math.isinf(self._max_s) else math.ceil(self._max_s * self.rate_hz)

    def _place(self, time_s: float) -> int:
        """Return the sample at which a frame starts: after the last one, unless there is a gap, which is noted."""
        start = round(time_s * self.rate_hz)
        if not self._parts:
            return start
        if abs(start - self._cursor) <= JITTER_S * self.rate_hz:
            self._lags.append(start - self._cursor)
            return self._cursor
        if start > self._cursor:
            self.first_gap_s = self._cursor / self.rate_hz if self.first_gap_s is None else self.first_gap_s
            self.gaps_s += (min(start, self._limit) - self._cursor) / self.rate_hz
        return start

    def samples(self, n: int | None = None) -> AudioArray:
        """Return the audio from time 0: ``n`` samples, or as many as there are, with silence where no frame was.

        Where the channels cancel each other (``mixdown.cancelled``), the loudest channel alone is returned.

        Raises:
            MediaError: ``too_large`` when the audio is longer than memory should hold.
        """
        length = self._cursor if n is None else n
        if length > MAX_SAMPLES:
            raise MediaError("too_large", f"the audio has {length} samples; {MAX_SAMPLES} are read at most")
        track = np.zeros(length, dtype=np.float32)
        loudest = self.mixdown.loudest if self.mixdown.cancelled else None
        for start, mixed, channels in self._parts:
            alone = loudest is not None and channels is not None and len(channels) == self.mixdown.n_channels
            part = channels[loudest] if alone and channels is not None else mixed
            stop = min(length, start + len(part))
            if start < stop:
                track[start:stop] = part[: stop - start]
        return track

    def two_channels(self, n: int) -> AudioArray | None:
        """Return both channels of two-channel audio, (2, n), on the clock of ``samples``; None for any other audio."""
        if self.n_channels != 2:
            return None
        track = np.zeros((2, n), dtype=np.float32)
        for start, mixed, channels in self._parts:
            part = np.stack([mixed, mixed]) if channels is None else channels
            stop = min(n, start + part.shape[1])
            if start < stop:
                track[:, start:stop] = part[:, : stop - start]
        return track


def mono(frame: AudioFrame, mix: Mix = "mean") -> AudioArray:
    """Return a frame as mono float32: the mean of its channels, low-frequency effects left out, or one channel.

    A plain mean keeps the level of audio that is in all channels and is the same on every machine; the subwoofer
    channel of 5.1 repeats what the others hold.

    Raises:
        MediaError: ``not_finite`` when a sample is NaN or infinite, ``out_of_range`` when one is absurdly large.
    """
    channels = _mixed_channels(frame, mix)
    require_plausible(channels)
    return np.ascontiguousarray(mean(channels), dtype=np.float32)


def _mixed_channels(frame: AudioFrame, mix: Mix) -> AudioArray:
    """Return the channels of a frame that are mixed, shape (C, N) float32; one of them for ``first`` and ``last``."""
    layout = frame.layout
    n_channels = layout.nb_channels
    channels = _channels(frame, n_channels)
    # Only these few ask for the names of channels, which PyAV makes anew for every frame.
    heard = _heard(layout) if "LFE" in layout.name or n_channels > _MOST_WITHOUT_LFE else list(range(n_channels))
    if mix != "mean":
        heard = heard[:1] if mix == "first" else heard[-1:]
    return _as_float(channels[heard] if 0 < len(heard) < n_channels else channels)


def _heard(layout: AudioLayout) -> list[int]:
    names = [channel.name for channel in layout.channels]
    if set(names) <= {"NONE", "UNK"}:
        return without_lfe(len(names))
    return [i for i, name in enumerate(names) if name not in _LOW_FREQUENCY]


def _channels(frame: AudioFrame, n_channels: int) -> npt.NDArray[np.generic]:
    """Return the samples as (channels, N).

    Planar frames are read channel by channel, by neither ``to_ndarray`` nor ``planes``: there PyAV takes one plane too
    many from eight channels or more. 18.1 reads memory that is not there; 19 raises ValueError. Packed frames have one.

    Raises:
        MediaError: ``unsupported_codec`` for a kind of sample that is not read.
    """
    kind = _KINDS.get(frame.format.packed.name)
    if kind is None:
        raise MediaError("unsupported_codec", f"the audio has samples of kind {frame.format.name}, which is not read")
    if not frame.format.is_planar:
        return _values(frame.planes[0], kind, frame.samples * n_channels).reshape(-1, n_channels).T
    planes = [_values(AudioPlane(frame, k), kind, frame.samples) for k in range(n_channels)]
    return np.concatenate(planes).reshape(n_channels, -1)


def _values(plane: AudioPlane, kind: type[np.generic], n: int) -> npt.NDArray[np.generic]:
    return np.frombuffer(memoryview(plane), dtype=kind, count=n)


def limit_rate(audio: AudioArray, rate_hz: int, rate_hz_max: int) -> tuple[AudioArray, int]:
    """Bring audio above ``rate_hz_max`` down to it; anything else keeps its rate."""
    if rate_hz <= rate_hz_max:
        return audio, rate_hz
    # Only reached by high-resolution audio; scipy.signal is slow to import.
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
