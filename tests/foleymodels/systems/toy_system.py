"""The smallest system of parts: a linear map from frame features to the codes of a codec."""

from __future__ import annotations

import dataclasses

import torch
from torch import nn
from torch.nn import functional as F

from foleymodels._codecs.settings import CodecSettings
from foleymodels._codecs.stage import RESIDUAL_CODEC, codec_in
from foleymodels._parts.signal import SignalSettings
from foleymodels._systems.features import FRAME_FEATURES, alignment_in, clip_conditions, frame_conditions
from foleymodels._systems.parts import own_part
from foleymodels._systems.settings import FeatureSettings, NetSettings
from foleymodels._systems.system import System
from foleymodels._training.loop import n_parameters
from foleymodels._training.settings import LoopSettings
from foleymodels._vocoders.mel_generator import MelGenerator


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToySettings:
    signal: SignalSettings
    alignment: FeatureSettings
    codec: CodecSettings
    net: NetSettings
    loop: LoopSettings


def new(settings, parts):
    return nn.Linear(alignment_in(parts).condition_dim, settings.codec.codec_levels * settings.codec.codebook_size)


def train(run, network):
    conditions, codec, net = frame_conditions(run), codec_in(run.parts), run.settings.net
    n = run.settings.signal.tokens(net.net_crop_s)

    def losses(step, generator):
        crops = run.job.draw_crops(net.net_batch, n, step, generator)
        codes = codec.encode(run.job.data.crop_tokens(*crops, n))
        logits = network(conditions.crop(*crops, n)).reshape(*codes.shape, codec.n_codes)
        return {"loss": F.cross_entropy(logits.flatten(0, -2), codes.flatten())}

    run.job.fit(
        network, losses, "generator", steps=net.net_steps, rate=net.net_rate, ema=net.net_ema, name="toy",
        monitor=run.monitor("generator", network),
    )  # fmt: skip


def generator(settings, parts, context):
    codec, network = codec_in(parts), parts["generator"]
    condition_of = clip_conditions(parts, settings, context.device)

    def make(clips, windows, rng):
        logits = network(windows.split(condition_of(clips, windows.n)))
        codes = logits.reshape(*logits.shape[:2], codec.levels, codec.n_codes).argmax(-1)
        return windows.merge(codec.decode(codes))

    parameters = sum(n_parameters(part) for part in parts.values())
    return MelGenerator(make, settings.signal, context, n_parameters=parameters, nfe=1)


GENERATOR = own_part("generator", ToySettings, new, train)
TOY = System(
    name="toy_system", settings=ToySettings, parts=(FRAME_FEATURES, RESIDUAL_CODEC, GENERATOR), generator=generator
)


def trained_parts(folder):
    """Return the bytes of the weights of all parts of a run."""
    return {path.parent.name: path.read_bytes() for path in folder.glob("*/model.safetensors")}


def some_codes(codec, n=9, batch=2, seed=0):
    return torch.randint(0, codec.n_codes, (batch, n, codec.levels), generator=torch.Generator().manual_seed(seed))
