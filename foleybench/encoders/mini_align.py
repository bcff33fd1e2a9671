"""Our small judge of sound with picture. Shipped, trained on SynthFoley's train split only.

Layers:
    probability: () float32: that the sound belongs to the picture, and in time.

Trained to tell true pairs from the same sound shifted by 0.08 to 1.5 s and from the sounds of other clips, of the same
class and of others. It stands in for Diff-Foley's classifier where no weights can be had; it is deterministic. No model
may use it.

Sources: none; ours. Architecture in ``_mini_nets``; training in ``foleybench.evaluators.mini``.
Changes: 1 first version.
"""

from __future__ import annotations

from foleybench.api.encoder import Encode, Encoder
from foleybench.api.weights import require, shipped_mini

WEIGHTS = shipped_mini("mini_align")


def _build(device: str) -> Encode:
    from foleybench.encoders._nets.align_judge import judging
    from foleybench.encoders._nets.mini_nets import AlignNet, unpack

    net = AlignNet()
    unpack(net, require("mini_align", WEIGHTS))
    return judging("mini_align", net, device)


ENCODER = Encoder(
    version=1,
    rate_hz=16000,
    modality="pair",
    layers={"probability": ()},
    licence="MIT",
    source="foleybench",
    weights=WEIGHTS,
    build=_build,
)
