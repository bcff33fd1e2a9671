"""Integrated loudness by ITU-R BS.1770-4. No weights.

Layers:
    integrated_lufs: () float64: loudness of the whole clip in LUFS, never below -70 (the standard's absolute gate).

48 kHz, for which the standard gives its two filters; blocks of 400 ms every 100 ms, those below -70 LUFS left out, then
those more than 10 LU below the mean of the rest. mono audio counts as one front channel: a full-scale sine of 997 Hz
has -3.01 LUFS. Decided here: a clip shorter than 400 ms is one block; one with no block above the gate has -70 LUFS.

Sources: Recommendation ITU-R BS.1770-4 (10/2015), Annex 1, tables 1 and 2.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.encoder import Encode, Encoder, one_by_one
from foleybench.media.loudness import RATE_HZ, integrated_lufs


def _build(device: str) -> Encode:
    return one_by_one(lambda signal: {"integrated_lufs": np.asarray(integrated_lufs(signal.audio))})


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"integrated_lufs": ()},
    licence="MIT",
    source="ITU-R BS.1770-4",
    build=_build,
)
