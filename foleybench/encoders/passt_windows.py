"""PaSST on overlapping windows of 10 s, as stable-audio-metrics feeds it.

Layers:
    logits: (527,) float32: mean over the windows, before softmax, classes of AudioSet.

32 kHz mono, scaled so that its largest sample is -1 dBFS, its mean (DC) kept. A window starts every 5 s while more
than 5 s are left to the end, and the first in any case; a short one is zero-padded to 10 s, but audio of 1.5 s or
less goes in as it is (the peer's comment says "discarded"; its code does not discard). Decided here: silence stays
silence, where the peer divides by zero and the mean of the whole set becomes NaN; audio too short for one patch
(0.15 s), where the peer raises, is zero-padded to that. Weights and net are those of encoder ``passt``.

Changes: 2 attention in one call, which moves features in the seventh digit.

Sources: Stability-AI/stable-audio-metrics@fd55536 src/passt_kld.py.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foleybench.api.encoder import Encode, Encoder
from foleybench.api.weights import require
from foleybench.clips import AudioArray
from foleybench.encoders._nets.passt_weights import N_SAMPLES, RATE_HZ, WEIGHTS
from foleybench.media.audio import fit_length, require_finite

STEP = 5 * RATE_HZ
PEAK = 10.0 ** (-1.0 / 20.0)
# Up to here audio goes in unpadded; below the second number the net has no patch.
UNPADDED, SHORTEST = 48000, 4801


def windows(audio: AudioArray) -> list[AudioArray]:
    """Return the windows of a clip's audio (N,) at 32 kHz that the net is fed."""
    require_finite(audio)
    peak = float(np.abs(audio).max(initial=0.0))
    scaled = (audio.astype(np.float64) * (PEAK / peak)).astype(np.float32) if peak else audio
    starts = range(0, max(STEP, len(scaled) - STEP), STEP)
    parts = [scaled[start : start + N_SAMPLES] for start in starts]
    return [fit_length(part, N_SAMPLES if len(part) > UNPADDED else max(len(part), SHORTEST)) for part in parts]


def _mean(logits: list[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    return np.asarray(np.mean(logits, axis=0))


def _build(device: str) -> Encode:
    path = require("passt_windows", WEIGHTS)
    from foleybench.encoders._nets.passt import in_parts

    return in_parts(windows, _mean, path, device)


ENCODER = Encoder(
    version=2,
    rate_hz=RATE_HZ,
    layers={"logits": (527,)},
    licence="Apache-2.0",
    source="Stability-AI/stable-audio-metrics@fd55536 src/passt_kld.py",
    weights=WEIGHTS,
    build=_build,
)
