"""Onsets as librosa finds them with its own defaults. No weights.

Layers:
    times_s: (n,) float64, increasing: seconds from the start of the clip, multiples of 512 / 22050 s.

The detector of ``onsets_librosa`` with ``delta=0.07`` in place of the 0.3 that most video-to-audio papers set: peaks
that stand out less count, too.

Sources: librosa 0.11 onset.onset_detect, as called by guyyariv/TempoTokens@bf0b1e3 av_align.py.
"""

from __future__ import annotations

from foleybench.api.encoder import ANY, Encode, Encoder, one_by_one
from foleybench.encoders._inputs.librosa_onsets import RATE_HZ, detect_as_librosa

DELTA = 0.07


def _build(device: str) -> Encode:
    return one_by_one(lambda signal: {"times_s": detect_as_librosa(signal.audio, DELTA) / RATE_HZ})


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"times_s": (ANY,)},
    licence="MIT",
    source="librosa 0.11 onset.onset_detect with its defaults",
    build=_build,
)
