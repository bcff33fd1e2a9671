"""Train V2A-Mapper's parts and make audio with them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from foleybench.api.model import BuildContext
from foleybench.clips import Clip, IntArray
from foleymodels._flow.generate import ClipConditions, FlowSampler, sampling_of
from foleymodels._parts.draws import Draws
from foleymodels._parts.windows import Windows
from foleymodels._sound_text.flow import SOUND_FLOW, sound_flow_in
from foleymodels._sound_text.settings import SoundTextOptions
from foleymodels._sound_text.stage import SOUND_TEXT, clip_vectors, sound_text_in
from foleymodels._systems.features import FRAME_FEATURES, alignment_in, clip_conditions, frame_conditions
from foleymodels._systems.parts import Parts, SystemRun, own_part
from foleymodels._systems.system import System
from foleymodels._training.conditions import Conditions
from foleymodels._training.data_parallel import share
from foleymodels._training.loop import Losses, batch_indices, n_parameters, write_metrics
from foleymodels._vocoders.mel_generator import MakeTokens, MelGenerator
from foleymodels.v2a_mapper.mapper import Mapper, new_mapper
from foleymodels.v2a_mapper.settings import MapperPartSettings, V2AMapperSettings

FOLDER = "mapper"


def mapped_tokens(mapper: Mapper, sampler: FlowSampler, see: ClipConditions, device: str) -> MakeTokens:
    """Return the function that makes mel tokens: mean video vector, vector of sound, flow.

    Args:
        mapper: The mapper.
        sampler: Samples the flow.
        see: From clips of one length and their number of tokens to frame features.
        device: A torch device name.
    """

    def make(clips: Sequence[Clip], windows: Windows, rng: Draws) -> Tensor:
        noise = torch.from_numpy(rng.standard_normal((len(clips), mapper.vector_dim), dtype=np.float32)).to(device)
        vectors = mapper.draw(see(clips, windows.n).to(device).mean(1), noise)
        return sampler.draw(vectors[:, None].expand(-1, windows.n, -1), windows, rng)

    return make


def _new(settings: MapperPartSettings, parts: Parts) -> Mapper:
    return new_mapper(settings.mapper, alignment_in(parts).condition_dim, settings.sound.vector_dim)


def _train(run: SystemRun, network: nn.Module) -> None:
    assert isinstance(network, Mapper)
    job, settings, device = run.job, run.settings.mapper, run.job.context.device
    videos = _means(frame_conditions(run), job.data.token_offsets)
    sounds = clip_vectors(sound_text_in(run.parts), job.data, device)
    network.scale.measure(videos.to(device))

    def losses(step: int, generator: torch.Generator) -> Losses:
        chosen = share().rows(batch_indices(len(job.data), settings.mapper_batch, step, job.context.seed))
        return {"loss": network.loss(videos[chosen].to(device), sounds[chosen].to(device), generator)}

    facts = job.fit(
        network, losses, FOLDER, steps=settings.mapper_steps, rate=settings.mapper_rate, ema=settings.mapper_ema,
        name=f"mapper ({settings.mapper})",
    )  # fmt: skip
    write_metrics(job.context.out, {FOLDER: {**facts, "parameters": n_parameters(network)}})


def _means(conditions: Conditions, offsets: IntArray) -> Tensor:
    """Return the mean features of every clip, shape (n_clips, width)."""
    return torch.stack([conditions.values[a:b].float().mean(0) for a, b in itertools.pairwise(offsets)])


def _generator(settings: V2AMapperSettings, parts: Parts, context: BuildContext) -> MelGenerator:
    mapper, flow = parts[FOLDER], sound_flow_in(parts)
    assert isinstance(mapper, Mapper)
    sampling, device = sampling_of(flow.settings, context), context.device
    make = mapped_tokens(mapper, FlowSampler(flow, sampling, device), clip_conditions(parts, settings, device), device)
    return MelGenerator(
        make,
        settings.signal,
        context,
        n_parameters=sum(n_parameters(parts[name]) for name in (FRAME_FEATURES.name, FOLDER, SOUND_FLOW.name)),
        nfe=sampling.nfe + mapper.nfe,
        guidance=sampling.guidance,
        sampler=sampling.sampler,
    )


SYSTEM = System(
    name="v2a_mapper",
    settings=V2AMapperSettings,
    parts=(SOUND_TEXT, FRAME_FEATURES, own_part(FOLDER, MapperPartSettings, _new, _train), SOUND_FLOW),
    generator=_generator,
    options=SoundTextOptions,
    main_steps="flow_steps",
    forced={"condition": "static"},
)
