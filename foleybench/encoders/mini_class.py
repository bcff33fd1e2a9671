"""Our small classifier, shipped, trained on SynthFoley's train split.

Layers:
    logits: (n_classes,) float32: before sigmoid, whether each class sounds; ``mini_class_names()`` gives their order.
    material_logits: (n_materials,) float32: the same for materials, in the order of ``mini_material_names()``.
    embedding: (32,) float32: before the last ReLU.

In silence, steady noise and hum every logit lies below -8: nothing sounds.

The classifier replaces AudioSet classifiers where their weights are not available, and its metrics have names of their
own. No model may use it: the model would be scored on its own features.

Changes: 2 was trained on SynthFoley 2; its logits are of several classes at once, and materials join them.

Sources: none; ours. Training in ``foleybench.evaluators.mini``.
"""

from __future__ import annotations

from foleybench.api.encoder import Encode, Encoder, Features, Signal, one_by_one
from foleybench.api.weights import require
from foleybench.encoders._nets.mini_labels import WEIGHTS, mini_class_names, mini_material_names

LAYERS: dict[str, tuple[int, ...]] = {"logits": (27,), "material_logits": (7,), "embedding": (32,)}


def _build(device: str) -> Encode:
    import torch

    from foleybench.encoders._nets.mini_nets import ClassNet, audio_input, unpack

    net = ClassNet(len(mini_class_names()), len(mini_material_names()))
    unpack(net, require("mini_class", WEIGHTS))
    net.to(device)

    @torch.inference_mode()
    def encode_one(signal: Signal) -> Features:
        found = net(torch.from_numpy(audio_input(signal.audio))[None].to(device))
        return {name: layer[0].float().cpu().numpy() for name, layer in zip(LAYERS, found, strict=True)}

    return one_by_one(encode_one)


ENCODER = Encoder(
    version=2,
    rate_hz=16000,
    layers=LAYERS,
    licence="MIT",
    source="foleybench",
    weights=WEIGHTS,
    build=_build,
    dataset="synthfoley",
)
