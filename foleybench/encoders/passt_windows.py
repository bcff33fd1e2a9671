"""PaSST as stable-audio-metrics feeds it: the peak at -1 dBFS, windows of 10 s every 5 s, their logits averaged.

Layers:
    logits: (527,) float32: mean over the windows, before softmax, classes of AudioSet.

32 kHz mono, scaled so that its largest sample is -1 dBFS, its mean (DC) kept. A window starts every 5 s while more
than 5 s are left to the end, and the first in any case; a short one is zero-padded to 10 s, but a sound of 1.5 s or
less goes in as it is (the peer's comment says "discarded"; its code does not discard). Decided here: silence stays
silence, where the peer divides by zero and the mean of the whole set becomes NaN; a sound too short for one patch
(0.15 s), where the peer raises, is zero-padded to that. Weights and net are those of encoder ``passt``.

Sources: Stability-AI/stable-audio-metrics@fd55536 src/passt_kld.py; the net as in encoder ``passt``.
Changes: 1 first version.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foleybench.api.encoder import Encode, Encoder, Features, Signal
from foleybench.api.weights import require
from foleybench.clips import AudioArray
from foleybench.encoders import passt
from foleybench.media.audio import fit_length, require_finite

STEP = 5 * passt.RATE_HZ
PEAK = 10.0 ** (-1.0 / 20.0)
# Up to here a sound goes in unpadded; below the second number the net has no patch.
UNPADDED, SHORTEST = 48000, 4801


def windows(audio: AudioArray) -> list[AudioArray]:
    """Return the windows of a sound (N,) at 32 kHz that the net is fed."""
    require_finite(audio)
    peak = float(np.abs(audio).max(initial=0.0))
    scaled = (audio.astype(np.float64) * (PEAK / peak)).astype(np.float32) if peak else audio
    starts = range(0, max(STEP, len(scaled) - STEP), STEP)
    parts = [scaled[start : start + passt.N_SAMPLES] for start in starts]
    return [fit_length(part, passt.N_SAMPLES if len(part) > UNPADDED else max(len(part), SHORTEST)) for part in parts]


def _build(device: str) -> Encode:
    run = passt.runner(require("passt_windows", passt.WEIGHTS), device)
    from foleybench.encoders._inputs.batches import in_batches

    def encode(signals: Sequence[Signal]) -> list[Features]:
        parts = [windows(signal.audio) for signal in signals]
        rows = iter(in_batches([part for group in parts for part in group], run, device))
        return [{"logits": np.mean([next(rows)[0] for _ in group], axis=0)} for group in parts]

    return encode


ENCODER = Encoder(
    version=1,
    rate_hz=passt.RATE_HZ,
    layers={"logits": (527,)},
    licence="Apache-2.0",
    source="Stability-AI/stable-audio-metrics@fd55536 src/passt_kld.py",
    weights=passt.WEIGHTS,
    build=_build,
)
