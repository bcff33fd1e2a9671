"""Our small classifier, shipped, trained on SynthFoley's train split.

Layers:
    logits: (n_classes,) float32: before softmax; ``mini_class_names()`` gives their order.
    embedding: (32,) float32: before the last ReLU.

The classifier replaces AudioSet classifiers where their weights are not available, and its metrics have names of their
own. No model may use it: the model would be scored on its own features.

Sources: none; ours. Training in ``foleybench.evaluators.mini``.
"""

from __future__ import annotations

from foleybench.api.encoder import Encode, Encoder, Features, Signal, one_by_one
from foleybench.api.weights import require
from foleybench.encoders._nets.mini_labels import WEIGHTS, mini_class_names


def _build(device: str) -> Encode:
    import torch

    from foleybench.encoders._nets.mini_nets import ClassNet, audio_input, unpack

    net = ClassNet(len(mini_class_names()))
    unpack(net, require("mini_class", WEIGHTS))
    net.to(device)

    @torch.inference_mode()
    def encode_one(signal: Signal) -> Features:
        logits, embedding = net(torch.from_numpy(audio_input(signal.audio))[None].to(device))
        return {"logits": logits[0].cpu().numpy(), "embedding": embedding[0].cpu().numpy()}

    return one_by_one(encode_one)


ENCODER = Encoder(
    version=1,
    rate_hz=16000,
    layers={"logits": (13,), "embedding": (32,)},
    licence="MIT",
    source="foleybench",
    weights=WEIGHTS,
    build=_build,
    dataset="synthfoley",
)
