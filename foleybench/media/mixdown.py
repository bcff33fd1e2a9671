"""Mix several channels of audio into one.

The mix is the mean of the channels, or the loudest channel where they cancel each other.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from foleybench.clips import AudioArray
from foleybench.errors import MediaError

# No recording is 40 dB over full scale; samples written as integers into a file of floats are (8 bits: 42 dB).
MAX_PEAK = 100.0
# Below these many channels a layout without names has no subwoofer; from there on WAV and FLAC put it fourth.
_LFE_FROM, _LFE_INDEX = 6, 3
# Of independent channels, the mean keeps one part in their number of the power. Channels that keep less than half of
# that cancel: for two, 6.0 dB under the channels. Of 106 real files with two channels the worst kept -5.7 dB.
_CANCELLED_SHARE = 0.5
_SILENT_POWER = 1e-10  # -100 dB: audio below is silence, which has no power to lose.


class Mixdown:
    """Mixes the parts of one audio track, and measures whether its channels cancel.

    Attributes:
        n_channels: Channels of the first part that was mixed, 0 before it.
    """

    def __init__(self) -> None:
        self.n_channels = 0
        self._mixed = 0.0
        self._channels = np.zeros(0)
        self._n = 0

    def add(self, channels: AudioArray) -> AudioArray:
        """Return the mean of channels (C, N) and take note of what it keeps of their power."""
        mixed = mean(channels)
        if len(channels) > 1:
            if not self.n_channels:
                self.n_channels = len(channels)
                self._channels = np.zeros(len(channels))
            if len(channels) == self.n_channels:
                self._mixed += float(np.vdot(mixed, mixed))
                self._channels += [float(np.vdot(channel, channel)) for channel in channels]
                self._n += channels.shape[1]
        return mixed

    @property
    def loss_db(self) -> float | None:
        """By how much the mean is quieter than the channels are on average; None for one channel, or silence."""
        if not self._n or self._channels.mean() < _SILENT_POWER * self._n:
            return None
        return 10.0 * math.log10(max(self._mixed / float(self._channels.mean()), 1e-12))

    @property
    def cancelled(self) -> bool:
        """Whether the mean loses so much power that it does not stand for the audio."""
        limit_db = 10.0 * math.log10(_CANCELLED_SHARE / max(1, self.n_channels))
        return self.loss_db is not None and self.loss_db < limit_db

    @property
    def loudest(self) -> int:
        """The channel with the most power."""
        return int(np.argmax(self._channels))


def mean(channels: AudioArray) -> AudioArray:
    """Return the mean of channels (C, N), shape (N,): the same on every machine."""
    # The same as ``mean``, at a third of its cost for so few values.
    only: AudioArray = channels[0]
    if len(channels) == 1:
        return only
    mixed: AudioArray = np.add.reduce(channels, axis=0)
    mixed /= np.float32(len(channels))
    return mixed


def without_lfe(n_channels: int) -> list[int]:
    """Return which channels are mixed when nothing names them: all, but for the subwoofer of six and more.

    The subwoofer repeats what the other channels hold. WAV and FLAC have it fourth in 5.1, 6.1 and 7.1.
    """
    return [k for k in range(n_channels) if n_channels < _LFE_FROM or k != _LFE_INDEX]


def require_plausible(values: npt.NDArray[np.float32]) -> None:
    """Refuse samples that no audio has.

    Raises:
        MediaError: ``not_finite`` when one is NaN or infinite, ``out_of_range`` when one is over ``MAX_PEAK``.
    """
    peak = float(np.abs(values).max(initial=0.0))
    if not math.isfinite(peak):
        raise MediaError("not_finite", "the audio holds samples that are NaN or infinite")
    if peak > MAX_PEAK:
        raise MediaError(
            "out_of_range",
            f"a sample is {peak:.3g}, {20 * math.log10(peak):.0f} dB over full scale: were integers written as floats?",
        )
