"""Fill masked codes after a prefix of one frame a second.

A copy is fine-tuned by contrast afterwards.

Source: Su, Liu, Shlizerman 2024, "From vision to audio and beyond", arXiv 2409.19132; the network's parts as in code by
the same group, DragonLiu1995/video-to-audio-through-text@c8e51be vatt/vt2a.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from foleybench.api.model import BuildContext
from foleymodels._codecs.stage import RESIDUAL_CODEC, codec_in
from foleymodels._codes.generate import masked_generator
from foleymodels._codes.masks import high_ratio_masks
from foleymodels._codes.training import GENERATOR, train_masked
from foleymodels._systems.features import FRAME_FEATURES, alignment_in, frame_conditions
from foleymodels._systems.parts import Parts, SystemRun, own_part
from foleymodels._systems.system import System
from foleymodels._vocoders.mel_generator import MelGenerator
from foleymodels.vab.network import Vab, VabSettings
from foleymodels.vab.retrieval import RETRIEVAL


def _new(settings: VabSettings, parts: Parts) -> Vab:
    return Vab(settings, codec_in(parts), alignment_in(parts).condition_dim)


def _train(run: SystemRun, network: nn.Module) -> None:
    assert isinstance(network, Vab)
    network.scale.measure(frame_conditions(run).sample())
    train_masked(run, network, lambda indices: network, high_ratio_masks)


def _generator(settings: Any, parts: Parts, context: BuildContext) -> MelGenerator:
    network, noise = parts[GENERATOR], settings.net.mask_noise
    return masked_generator(settings, parts, context, lambda *clips: network, noise=noise)


SYSTEM = System(
    name="vab",
    settings=VabSettings,
    parts=(
        FRAME_FEATURES,
        RESIDUAL_CODEC,
        own_part(GENERATOR, VabSettings, _new, _train, tag="vab_generator"),
        RETRIEVAL,
    ),
    generator=_generator,
)
