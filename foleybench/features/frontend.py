"""What a protocol does to every sound before an encoder hears it: the steps in which toolkits differ.

The steps, in this order: the file's channels become one, the clip's length is settled (both by the evaluator), the mean
is taken away, the sound is resampled to the encoder's rate, and rounded to 16 bits. Scaling to a peak belongs to the
encoders that do it. Reference sounds are mono in shards: how channels are joined concerns generated files.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from foleybench.clips import AudioArray
from foleybench.media.audio import Channels
from foleybench.media.resample import Resampler, resample_as


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frontend:
    """The steps between a clip's sound and an encoder; the defaults are ours.

    Attributes:
        channels: How several channels become one.
        remove_mean: Take the mean (DC) of the clip away before resampling, as av-benchmark and audioldm_eval do.
        resampler: Which resampler.
        int16: Round the result down to 16 bits, as fadtk does by writing a file with libsndfile.
        mean_kept_for: Encoders whose sound keeps its mean all the same.
    """

    channels: Channels = "mean"
    remove_mean: bool = False
    resampler: Resampler = "torchaudio"
    int16: bool = False
    mean_kept_for: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What is not the default, as part of cache keys; how channels are joined shows in the samples themselves."""
        steps = ["remove_mean"] if self.remove_mean else []
        steps += [self.resampler] if self.resampler != "torchaudio" else []
        steps += ["int16"] if self.int16 else []
        return "+".join(steps) or "plain"

    def of(self, encoder: str) -> Frontend:
        """Return the steps for one encoder."""
        return dataclasses.replace(self, remove_mean=False) if encoder in self.mean_kept_for else self

    def apply(self, audio: AudioArray, from_hz: int, to_hz: int) -> AudioArray:
        """Return the sound that an encoder of rate ``to_hz`` is given.

        Args:
            audio: Shape (N,), mono, of the clip's length.
            from_hz: Its rate.
            to_hz: The encoder's rate.

        Returns:
            About ``N * to_hz / from_hz`` samples; the caller settles the exact length.

        Example:
            >>> Frontend(remove_mean=True).apply(np.array([0.5, 0.25], dtype=np.float32), 8000, 8000).tolist()
            [0.125, -0.125]
        """
        if self.remove_mean and len(audio):
            audio = audio - audio.mean(dtype=np.float64).astype(np.float32)
        audio = resample_as(self.resampler, audio, from_hz, to_hz)
        return _rounded(audio) if self.int16 else audio


def _rounded(audio: AudioArray) -> AudioArray:
    """Go through 16 bits as libsndfile writes them: rounded down (FFmpeg and SoX round to the nearest)."""
    steps = np.clip(np.floor(audio.astype(np.float64) * 32768.0), -32768, 32767)
    return (steps / 32768.0).astype(np.float32)
