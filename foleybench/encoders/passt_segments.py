"""PaSST as audiocraft feeds it for its KLD: the sound in segments of 10 s, none padded.

Layers:
    logits: (T, 527) float32: one row a segment, before softmax, classes of AudioSet; T may be 0.

32 kHz mono, its mean (DC) kept; cut into segments of 10 s without overlap, the last one as long as it is; segments of
0.15 s or less are dropped, so a sound of 0.15 s or less has no row. An unpadded clip of 8 s gives 800 frames, not the
1000 that other toolkits feed. Weights and net are those of encoder ``passt``.

Sources: facebookresearch/audiocraft@896ec7c audiocraft/metrics/kld.py; the net as in encoder ``passt``.
Changes: 1 first version.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foleybench.api.encoder import ANY, Encode, Encoder, Features, Signal
from foleybench.api.weights import require
from foleybench.clips import AudioArray
from foleybench.encoders import passt
from foleybench.media.audio import require_finite

# 0.15 s: a segment must be longer.
TOO_SHORT = 4800


def segments(audio: AudioArray) -> list[AudioArray]:
    """Return the parts of a sound (N,) at 32 kHz that the net is fed, in order."""
    require_finite(audio)
    parts = [audio[start : start + passt.N_SAMPLES] for start in range(0, len(audio), passt.N_SAMPLES)]
    return [part for part in parts if len(part) > TOO_SHORT]


def _build(device: str) -> Encode:
    run = passt.runner(require("passt_segments", passt.WEIGHTS), device)
    from foleybench.encoders._inputs.batches import in_batches

    def encode(signals: Sequence[Signal]) -> list[Features]:
        parts = [segments(signal.audio) for signal in signals]
        rows = iter(in_batches([part for group in parts for part in group], run, device))
        empty = np.zeros((0, 527), dtype=np.float32)
        return [{"logits": np.stack([next(rows)[0] for _ in group]) if group else empty} for group in parts]

    return encode


ENCODER = Encoder(
    version=1,
    rate_hz=passt.RATE_HZ,
    layers={"logits": (ANY, 527)},
    licence="Apache-2.0",
    source="facebookresearch/audiocraft@896ec7c audiocraft/metrics/kld.py",
    weights=passt.WEIGHTS,
    build=_build,
)
