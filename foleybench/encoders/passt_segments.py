"""PaSST on unpadded segments of 10 s, as audiocraft feeds it.

Layers:
    logits: (T, 527) float32: one row a segment, before softmax, classes of AudioSet; T may be 0.

32 kHz mono, its mean (DC) kept; cut into segments of 10 s without overlap, the last one as long as it is; segments of
0.15 s or less are dropped, so audio of 0.15 s or less has no row. An unpadded clip of 8 s gives 800 frames, not the
1000 that other toolkits feed. Weights and net are those of encoder ``passt``.

Changes: 2 attention in one call, which moves features in the seventh digit.

Sources: facebookresearch/audiocraft@896ec7c audiocraft/metrics/kld.py.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foleybench.api.encoder import ANY, Encode, Encoder
from foleybench.api.weights import require
from foleybench.clips import AudioArray
from foleybench.encoders._nets.passt_weights import N_SAMPLES, RATE_HZ, WEIGHTS
from foleybench.media.audio import require_finite

# 0.15 s: a segment must be longer.
TOO_SHORT = 4800


def segments(audio: AudioArray) -> list[AudioArray]:
    """Return the parts of a clip's audio (N,) at 32 kHz that the net is fed, in order."""
    require_finite(audio)
    parts = [audio[start : start + N_SAMPLES] for start in range(0, len(audio), N_SAMPLES)]
    return [part for part in parts if len(part) > TOO_SHORT]


def _stacked(logits: list[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    return np.stack(logits) if logits else np.zeros((0, 527), dtype=np.float32)


def _build(device: str) -> Encode:
    path = require("passt_segments", WEIGHTS)
    from foleybench.encoders._nets.passt import in_parts

    return in_parts(segments, _stacked, path, device)


ENCODER = Encoder(
    version=2,
    rate_hz=RATE_HZ,
    layers={"logits": (ANY, 527)},
    licence="Apache-2.0",
    source="facebookresearch/audiocraft@896ec7c audiocraft/metrics/kld.py",
    weights=WEIGHTS,
    build=_build,
)
