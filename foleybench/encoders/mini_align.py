"""Our small judge of sound with picture. Shipped, trained on SynthFoley's train split only.

Layers:
    probability: () float32: that the sound belongs to the picture, and in time.

Trained to tell true pairs from the same sound shifted by 0.08 to 1.5 s and from the sounds of other clips, of the same
class and of others. It stands in for Diff-Foley's classifier where no weights can be had; it is deterministic. No model
may use it.

Sources: none; ours. Architecture in ``_mini_nets``; training in ``foleybench.mini_training``.
Changes: 1 first version.
"""

from __future__ import annotations

from collections.abc import Sequence

from foleybench.encoders import Encode, Encoder, Features, Signal
from foleybench.errors import FoleyError
from foleybench.weights import require, shipped_mini

WEIGHTS = shipped_mini("mini_align")


def _build(device: str) -> Encode:
    import torch

    from foleybench.encoders._mini_nets import AlignNet, heard, seen, unpack

    net = AlignNet()
    unpack(net, require("mini_align", WEIGHTS))
    net.to(device)

    @torch.inference_mode()
    def encode_one(signal: Signal) -> Features:
        if signal.frames is None or signal.frame_times_s is None:
            raise FoleyError("mini_align judges a sound with its picture; this clip came without one.")
        pictures = torch.from_numpy(seen(signal.frames, signal.frame_times_s, signal.duration_s)).to(device)
        sound = torch.from_numpy(heard(signal.audio)).to(device)
        logit = net(sound[None], pictures[None].float() / 255.0)
        return {"probability": torch.sigmoid(logit)[0].cpu().numpy()}

    def encode(signals: Sequence[Signal]) -> list[Features]:
        return [encode_one(signal) for signal in signals]

    return encode


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
