"""Generate audio by filling a clip's masked codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from foleybench.api.model import BuildContext
from foleybench.clips import Clip
from foleybench.errors import FoleyError
from foleymodels._alignment.stage import FOLDER as FEATURES
from foleymodels._codecs.stage import FOLDER as CODEC
from foleymodels._codecs.stage import codec_in
from foleymodels._codes.masked import Unmasking, unmask
from foleymodels._codes.training import GENERATOR, PredictCodes
from foleymodels._parts.code_sampling import CodeSampling
from foleymodels._parts.draws import Draws
from foleymodels._parts.samplers import guided
from foleymodels._parts.windows import Windows
from foleymodels._systems.features import clip_conditions
from foleymodels._systems.parts import Parts
from foleymodels._training.loop import n_parameters
from foleymodels._vocoders.mel_generator import MelGenerator

ClipPredict = Callable[[Sequence[Clip], Tensor, int], PredictCodes]


def masked_generator(
    settings: Any, parts: Parts, context: BuildContext, predict_of: ClipPredict, *, noise: float, top_k: int = 0
) -> MelGenerator:
    """Return the generator of a network that predicts masked codes.

    Long clips are filled window by window, and the windows' mel tokens are cross-faded.

    Args:
        settings: All settings of the system; ``net`` has the default steps and guidance.
        parts: Trained parts.
        context: Device, vocoder, and how it is sampled.
        predict_of: From clips, their features, and the number of windows of each to the function from codes with masks,
            the windows' features, and which examples are without video, to logits.
        noise: Noise on the confidence, see ``Unmasking``.
        top_k: Number of most probable codes to draw from; 0 for all.

    Raises:
        FoleyError: A sampler of flows was asked for, or the named vocoder does not fit.
    """
    if context.sampler is not None:
        raise FoleyError(f"masked codes are not integrated: leave the sampler ({context.sampler}) out.")
    steps = settings.net.nfe if context.nfe is None else context.nfe
    scale = settings.net.guidance if context.guidance is None else context.guidance
    how = Unmasking(steps=steps, noise=noise, codes=CodeSampling(top_k=top_k))
    codec, condition_of = codec_in(parts), clip_conditions(parts, settings, context.device)

    def make(clips: Sequence[Clip], windows: Windows, rng: Draws) -> Tensor:
        whole = condition_of(clips, windows.n)
        conditions, predict = windows.split(whole), predict_of(clips, whole, len(windows.starts))
        mask = torch.ones(*conditions.shape[:2], codec.levels, dtype=torch.bool, device=conditions.device)

        def logits_of(codes: Tensor) -> Tensor:
            return guided_logits(predict, codes, conditions, scale)

        codes = unmask(logits_of, torch.zeros_like(mask, dtype=torch.int64), mask, codec.n_codes, how, rng)
        return windows.merge(codec.decode(codes))

    return MelGenerator(
        make,
        settings.signal,
        context,
        n_parameters=sum(n_parameters(parts[name]) for name in (FEATURES, CODEC, GENERATOR)),
        nfe=steps,
        guidance=scale,
    )


def guided_logits(predict: PredictCodes, codes: Tensor, conditions: Tensor, scale: float) -> Tensor:
    """Return logits with classifier-free guidance; one evaluation of a doubled batch, or of the batch at scale 1."""
    kept = torch.zeros(len(codes), dtype=torch.bool, device=codes.device)
    if scale == 1.0:
        return predict(codes, conditions, kept)
    both = predict(torch.cat([codes, codes]), torch.cat([conditions, conditions]), torch.cat([kept, ~kept]))
    conditional, unconditional = both.chunk(2)
    return guided(conditional, unconditional, scale)
