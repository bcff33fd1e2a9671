"""Generate audio for silent video with a trained Foley-Flow."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor

from foleybench.api.model import BuildContext
from foleybench.clips import Clip
from foleybench.errors import FoleyError
from foleymodels._flow.generate import Sampling, flow_generator, sampling_of
from foleymodels._training.decoded_data import video_input
from foleymodels._training.loop import n_parameters
from foleymodels._vocoders.mel_generator import MelGenerator
from foleymodels.foleyflow.checkpoints import FoleyFlow, load_foleyflow
from foleymodels.foleyflow.settings import FoleyFlowSettings


def build(context: BuildContext) -> MelGenerator:
    """Read a checkpoint and make the generator.

    Raises:
        FoleyError: No checkpoint was given, or it does not fit.
    """
    if context.checkpoint is None:
        raise FoleyError(
            "this model is trained: name its run folder with --checkpoint, or train it with `foleybench train`."
        )
    return generator_of(load_foleyflow(context.checkpoint), context)


def generator_of(model: FoleyFlow, context: BuildContext) -> MelGenerator:
    """Make the generator of a trained model.

    Args:
        model: The model.
        context: Settings of sampling.

    Raises:
        FoleyError: Guidance was asked for, but is already in the weights.
    """
    settings, flow, alignment = model
    if alignment is not None:
        alignment = alignment.eval().requires_grad_(False).to(context.device)

    def condition_of(clips: Sequence[Clip], n_tokens: int) -> Tensor:
        if alignment is None:
            return torch.zeros(len(clips), n_tokens, 1)
        wanted = settings.stage.cache
        frames = torch.stack([torch.from_numpy(video_input(clip, wanted, context.device)) for clip in clips])
        return alignment.condition(frames.to(context.device), n_tokens)

    more = 0 if alignment is None else n_parameters(alignment)
    sampling = _sampling(settings, context)
    return flow_generator(flow, condition_of, settings.signal, context, sampling=sampling, more_parameters=more)


def _sampling(settings: FoleyFlowSettings, context: BuildContext) -> Sampling:
    """Return how the flow is sampled; a one-step head takes one step, with the guidance that is in its weights."""
    plain = sampling_of(settings.flow, context)
    head = settings.head
    if head.head == "ode":
        return plain
    if context.guidance is not None:
        raise FoleyError(
            f"guidance {head.head_guidance:g} is trained into this model (head={head.head}). "
            "Leave --guidance out, or train another head with --set head_guidance=SCALE."
        )
    scale = None if plain.scale is None else 1.0
    return dataclasses.replace(plain, nfe=1 if context.nfe is None else context.nfe, guidance=None, scale=scale)
