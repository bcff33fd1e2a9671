"""PaSST, the AudioSet transformer behind KL_PaSST and FD_PaSST.

Layers:
    logits: (527,) float32: before softmax or sigmoid, classes of AudioSet.
    embedding: (768,) float32: mean of the class and the distillation token.

``passt_s_swa_p16_128_ap476``, fed as av-benchmark feeds it: 32 kHz mono, its mean (DC) removed, cut or zero-padded to
exactly 10 s. The mean is removed here, after the resampling, where av-benchmark removes it before: resampling keeps a
constant, so the two differ only within the filter's width of the clip's ends.

Changes: 2 attention in one call, which moves features in the seventh digit.

Sources: Koutini et al., "Efficient Training of Audio Transformers with Patchout", Interspeech 2022;
kkoutini/passt_hear21@5f1cce6; hkchengrex/av-benchmark@050a5cd av_bench/extract.py.
"""

from __future__ import annotations

from foleybench.api.encoder import Encode, Encoder, Signal
from foleybench.api.weights import require
from foleybench.clips import AudioArray
from foleybench.encoders._inputs.spectra import without_dc
from foleybench.encoders._nets.passt_weights import N_SAMPLES, RATE_HZ, WEIGHTS
from foleybench.media.audio import fit_length


def passt_input(signal: Signal) -> AudioArray:
    """Return the 320000 samples that the net is fed: mean removed, then cut or zero-padded."""
    return fit_length(without_dc(signal.audio), N_SAMPLES)


def _build(device: str) -> Encode:
    path = require("passt", WEIGHTS)
    from foleybench.encoders._inputs.batches import batched
    from foleybench.encoders._nets.passt import runner

    return batched(passt_input, runner(path, device), device, layers=("logits", "embedding"))


ENCODER = Encoder(
    version=2,
    rate_hz=RATE_HZ,
    layers={"logits": (527,), "embedding": (768,)},
    licence="Apache-2.0",
    source="kkoutini/passt_hear21@5f1cce6 (hear21passt 0.0.26)",
    weights=WEIGHTS,
    build=_build,
)
