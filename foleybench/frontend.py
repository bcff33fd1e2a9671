"""What a protocol does to every sound before an encoder hears it: the steps in which toolkits differ.

The steps, in this order: the clip's length is settled (by the evaluator), then what a ``Frontend`` says, last the
resampling to the encoder's rate.
"""

from __future__ import annotations

import dataclasses

from foleybench.clips import AudioArray
from foleybench.sound import resample


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frontend:
    """The steps between a clip's sound and an encoder; the defaults are ours.

    Attributes:
        name: Part of the cache key: two frontends that differ must have different names.
    """

    name: str = "plain"

    def apply(self, audio: AudioArray, from_hz: int, to_hz: int) -> AudioArray:
        """Return the sound that an encoder of rate ``to_hz`` is given.

        Args:
            audio: Shape (N,), mono, of the clip's length.
            from_hz: Its rate.
            to_hz: The encoder's rate.

        Returns:
            About ``N * to_hz / from_hz`` samples; the caller settles the exact length.
        """
        return resample(audio, from_hz, to_hz)
