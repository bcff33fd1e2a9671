"""Control: a click every 50 ms, whatever the video.

Chance level of timing: with a click every 50 ms, every time is within 25 ms of one, so all events are found, and most
clicks are no event. What a metric of timing gives it is not earned by seeing.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.model import Model
from foleybench.clips import AudioArray
from foleymodels.controls._change import Control

PERIOD_S = 0.05
_CLICK_S, _DECAY_S, _LEVEL = 0.01, 0.0016, 0.5


def clicks(n_samples: int, rate_hz: int) -> AudioArray:
    """Return equal clicks in the middle of every 50 ms: 10 ms of decaying noise, the same in every clip.

    Args:
        n_samples: Length.
        rate_hz: Sample rate.

    Returns:
        Shape (n_samples,).
    """
    length = max(1, round(_CLICK_S * rate_hz))
    click = np.random.default_rng(0).standard_normal(length) * np.exp(-np.arange(length) / (_DECAY_S * rate_hz))
    click *= _LEVEL / np.abs(click).max()
    audio = np.zeros(n_samples + length, dtype=np.float32)
    period = PERIOD_S * rate_hz
    for start in np.arange(period / 2, n_samples, period).astype(np.int64):
        audio[start : start + length] = click
    return audio[:n_samples]


MODEL = Model(
    title="Metronome, every 50 ms",
    kind="control",
    sees=frozenset({"audio"}),
    licence="MIT",
    description="A click every 50 ms, whatever the video: what timing is worth without seeing.",
    build=lambda context: Control(lambda clip, own, rng: clicks(len(own), clip.rate_hz)),
)
