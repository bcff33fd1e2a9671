"""The clip: a video with its audio. Time is in seconds.

A clip holds frames with a timestamp each, so constant and variable frame rates are the same case, and mono audio at its
own rate. ``Clock`` is the one place that converts between seconds, frames, samples and tokens.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
AudioArray = npt.NDArray[np.float32]
FrameArray = npt.NDArray[np.uint8]
IntArray = npt.NDArray[np.int64]
# Fields of events that shards of earlier versions do not have; written only when they say something.
_OPTIONAL = ("source", "material", "pitch_hz")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happens in a clip.

    Attributes:
        time_s: Start in seconds from the start of the clip.
        duration_s: Length in seconds; 0 for an impact.
        kind: ``onset`` for something with a sharp start, ``span`` for something that goes on.
        label: Class name of the source.
        audible: False for a silent event (a silent mover, or a hit without sound).
        visible: False for an event off screen.
        strength: Relative loudness, 0 to 1.
        factors: Anything else that the corpus knows exactly (speed, place, distance ...). JSON values only.
        source: Which of the clip's objects it is of, or "" when the corpus does not tell them apart.
        material: What that object is made of, or "".
        pitch_hz: Pitch in Hz, or None when it has none or the corpus does not know.

    Example:
        >>> hit = Event(time_s=0.52, label="hammer_bell")
        >>> Event.from_json(hit.as_json()) == hit
        True
    """

    time_s: float
    duration_s: float = 0.0
    kind: str = "onset"
    label: str = ""
    audible: bool = True
    visible: bool = True
    strength: float = 1.0
    factors: dict[str, Any] = dataclasses.field(default_factory=dict)
    source: str = ""
    material: str = ""
    pitch_hz: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the event as a JSON object; of what not every corpus knows, only what is known."""
        record = dataclasses.asdict(self)
        return {name: value for name, value in record.items() if name not in _OPTIONAL or value not in ("", None)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Event:
        """Build an event from a JSON object written by ``as_json``."""
        return cls(**record)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Clip:
    """A video with its audio, decoded.

    Attributes:
        clip_id: ``<source id>_<start second, six digits>``; never a dot.
        source_id: The video the clip was cut from: the unit of intervals and tests.
        label: Class name, or "" when unknown.
        split: ``train``, ``val``, ``test`` or a named held-out split.
        duration_s: Length of the clip in seconds.
        frames: ``(T, H, W, 3)`` uint8 RGB, or None when the reader was asked to leave the picture out.
        frame_times_s: ``(T,)`` float64, increasing, seconds from the start of the clip.
        audio: ``(N,)`` float32 mono, nominally in [-1, 1], or None when the clip has no sound.
        rate_hz: Sample rate of ``audio``.
        events: Exact events, or None when the data set does not know them.
        factors: Anything else that is known about the clip; JSON values only.
        n_channels: Channels of its sound before they became one.

    Example:
        >>> from foleybench import ShardDataset
        >>> clip = ShardDataset(manifest).load("clip00_000000")
        >>> clip.frames.shape, clip.audio.shape, clip.rate_hz, clip.label
        ((50, 32, 32, 3), (32000,), 16000, 'bounce_bar')
        >>> clip.onset_times_s().round(2).tolist()
        [0.26, 0.63, 1.0, 1.4]
    """

    clip_id: str
    source_id: str
    label: str
    split: str
    duration_s: float
    frames: FrameArray | None
    frame_times_s: FloatArray
    audio: AudioArray | None
    rate_hz: int
    events: tuple[Event, ...] | None = None
    factors: dict[str, Any] = dataclasses.field(default_factory=dict)
    n_channels: int = 1

    def onset_times_s(self, *, audible: bool = True) -> FloatArray:
        """Return the sorted times of the onset events, shape (n,); only the audible ones by default."""
        events = self.events or ()
        times = [e.time_s for e in events if e.kind == "onset" and (e.audible or not audible)]
        return np.sort(np.asarray(times, dtype=np.float64))


@dataclasses.dataclass(frozen=True)
class Clock:
    """Conversions between seconds, samples, frames and tokens for one clip length.

    Attributes:
        duration_s: Length of the clip in seconds.

    Example:
        >>> Clock(2.5).samples(16000)
        40000
        >>> Clock(0.1).centres(4).tolist()
        [0.0125, 0.037500000000000006, 0.0625, 0.08750000000000001]
    """

    duration_s: float

    def samples(self, rate_hz: float) -> int:
        """Return the number of audio samples of the clip: ``round(duration * rate)``."""
        return round(self.duration_s * rate_hz)

    def tokens(self, rate_hz: float) -> int:
        """Return the number of tokens that cover the whole clip at ``rate_hz`` tokens per second (rounded up)."""
        return max(1, int(np.ceil(self.duration_s * rate_hz - 1e-9)))

    def centres(self, n: int) -> FloatArray:
        """Return the centres in seconds of ``n`` equal parts of the clip, shape (n,)."""
        return (np.arange(n, dtype=np.float64) + 0.5) * (self.duration_s / n)

    @staticmethod
    def nearest(frame_times_s: FloatArray, times_s: FloatArray) -> IntArray:
        """Return, for each wanted time, the index of the frame on screen then.

        The frame on screen is the last one whose timestamp is not later than the wanted time, which is right for
        constant and variable frame rates alike; before the first frame it is the first one.

        Args:
            frame_times_s: Timestamps of the frames, increasing, shape (T,), T >= 1.
            times_s: Wanted times, shape (n,).

        Returns:
            Indices into the frames, shape (n,).

        Example:
            >>> Clock.nearest(np.array([0.0, 0.04, 0.5]), np.array([0.05, 0.6, -1.0])).tolist()
            [1, 2, 0]
        """
        index = np.searchsorted(frame_times_s, times_s + 1e-9, side="right") - 1
        return np.clip(index, 0, len(frame_times_s) - 1).astype(np.int64)

    @staticmethod
    def on_grid(frame_times_s: FloatArray, grid_hz: float, n: int) -> IntArray:
        """Return, for each step of a regular grid, the index of the frame that stands for it.

        That is the frame on screen half an interval after the step's start: half of the grid's interval, or half of the
        video's where that has more frames (by the median of its intervals). So a frame is taken at its own time
        whatever the rate; half of the grid's would take 50 frames a second 20 ms early.

        Args:
            frame_times_s: Timestamps of the frames, increasing, shape (T,), T >= 1.
            grid_hz: Steps per second.
            n: Number of steps.

        Returns:
            Indices into the frames, shape (n,).

        Example:
            >>> Clock.on_grid(np.arange(8) / 50.0, 25.0, 4).tolist()
            [0, 2, 4, 6]
        """
        interval_s = 1.0 / grid_hz
        if len(frame_times_s) > 1:
            interval_s = min(interval_s, float(np.median(np.diff(frame_times_s))))
        return Clock.nearest(frame_times_s, np.arange(n, dtype=np.float64) / grid_hz + 0.5 * interval_s)


# How several channels become one: their mean, or the first alone (as audioldm_eval does).
Channels = Literal["mean", "first"]


Resampler = Literal["torchaudio", "torchaudio_float32", "kaiser_best", "resampy", "soxr_hq", "julius"]
