"""Steer a flow of sound by an aligner."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from foleybench.api.model import BuildContext
from foleybench.clips import Clip
from foleymodels._diffusion.guidance import descend, differentiable
from foleymodels._flow.generate import FlowSampler, Sampling
from foleymodels._parts.draws import Draws
from foleymodels._parts.paths import FlowPath
from foleymodels._parts.samplers import AfterStep, FlowStep
from foleymodels._parts.windows import Windows
from foleymodels._sound_text.flow import SOUND_FLOW, sound_flow_in
from foleymodels._sound_text.network import SoundText
from foleymodels._sound_text.settings import SoundTextOptions
from foleymodels._sound_text.stage import SOUND_TEXT, sound_text_in
from foleymodels._systems.features import FRAME_FEATURES, clip_conditions
from foleymodels._systems.parts import Parts
from foleymodels._systems.system import System
from foleymodels._training.loop import n_parameters
from foleymodels._vocoders.mel_generator import MelGenerator
from foleymodels.seeing_hearing.aligner import ALIGNER, Aligner, CropCover, aligner_in
from foleymodels.seeing_hearing.settings import AscentSettings, SeeingHearingSettings


class Ascent:
    """Moves the point after a step of the flow towards audio that is like the video, and like its caption.

    The estimate of the data comes from the moved point and from the estimate of the noise that the step was taken with,
    at the time that the step began at, so the gradient does not go through the flow. A fresh Adam every time moves
    every number by about the rate. Both are so in the released code
    (yzxing87/Seeing-and-Hearing@75cdbbc ``pipeline_audioldm.py: bind_forward_double_loss``).
    """

    def __init__(
        self, settings: AscentSettings, path: FlowPath, aligner: Aligner, model: SoundText, n_steps: int
    ) -> None:
        """Take the networks.

        Args:
            settings: How the flow is steered.
            path: Path of the flow.
            aligner: Compares audio with video.
            model: Compares audio with captions.
            n_steps: Steps of the flow.
        """
        self._settings, self._path, self._aligner, self._model = settings, path, aligner, model
        self._first = int(n_steps * settings.ascent_start) + 1
        self.n_steps = max(0, n_steps - self._first) if settings.ascent_steps else 0

    def towards(self, seen: Tensor, crops: CropCover, captions: Tensor | None) -> AfterStep:
        """Return what is done after a step of the flow.

        Args:
            seen: Vectors of the videos' crops, shape (batch, n_crops, vector_dim).
            crops: The crops.
            captions: Vectors of their captions, shape (batch, vector_dim), or None without a prompt.
        """

        def distance(tokens: Tensor) -> Tensor:
            found = 1 - self._aligner.likeness(tokens, seen, crops)
            return found if captions is None else found + 1 - (self._model.hear(tokens) * captions).sum(-1)

        def after_step(x: Tensor, step: FlowStep) -> Tensor:
            if step.number < self._first:
                return x
            alpha, sigma = self._path.alpha(x.new_tensor(step.now)), self._path.sigma(x.new_tensor(step.now))
            return descend(
                lambda at: distance((at - sigma * step.noise) / alpha),
                x, rate=self._settings.ascent_rate, steps=self._settings.ascent_steps,
            )  # fmt: skip

        return after_step


def _generator(settings: SeeingHearingSettings, parts: Parts, context: BuildContext) -> MelGenerator:
    flow, aligner, model = sound_flow_in(parts), aligner_in(parts), sound_text_in(parts)
    sampling, device = _sampling(settings, context), context.device
    sampler, see = FlowSampler(flow, sampling, device), clip_conditions(parts, settings, device)
    ascent = Ascent(settings.ascent, flow.path, aligner, model, _flow_steps(sampling))
    crop_tokens = settings.signal.tokens(settings.aligner.aligner_crop_s)

    def make(clips: Sequence[Clip], windows: Windows, rng: Draws) -> Tensor:
        with differentiable():
            crops = CropCover.cover(windows.n, crop_tokens)
            seen = aligner.see_crops(see(clips, windows.n), crops)
            captions = None if settings.ascent.prompt == "none" else model.read(aligner.tell(seen))
            told = flow.null.new_zeros(len(clips), flow.null.shape[0]) if captions is None else captions
            condition = told[:, None].expand(-1, windows.n, -1)
            return sampler.draw(condition, windows, rng, ascent.towards(seen, crops, captions))

    used = (FRAME_FEATURES, SOUND_TEXT, ALIGNER, SOUND_FLOW)
    return MelGenerator(
        make,
        settings.signal,
        context,
        n_parameters=sum(n_parameters(parts[part.name]) for part in used),
        # a step on the point is a forward and a backward pass of the aligner
        nfe=sampling.nfe + 2 * ascent.n_steps * settings.ascent.ascent_steps,
        guidance=sampling.guidance,
        sampler=sampling.sampler,
    )


def _sampling(settings: SeeingHearingSettings, context: BuildContext) -> Sampling:
    """Return how the flow is sampled: without a condition when it is not prompted."""
    asked = settings.flow.guidance if context.guidance is None else context.guidance
    guidance = None if settings.ascent.prompt == "none" else asked
    return Sampling(
        nfe=settings.ascent.ascent_nfe if context.nfe is None else context.nfe,
        sampler=settings.flow.sampler if context.sampler is None else context.sampler,
        guidance=guidance,
        scale=guidance,
    )


def _flow_steps(sampling: Sampling) -> int:
    """Return the steps that a number of evaluations makes: Heun corrects a step with a second one."""
    return sampling.nfe if sampling.sampler == "euler" else sampling.nfe - max(0, (sampling.nfe - 1) // 2)


SYSTEM = System(
    name="seeing_hearing",
    settings=SeeingHearingSettings,
    parts=(SOUND_TEXT, FRAME_FEATURES, ALIGNER, SOUND_FLOW),
    generator=_generator,
    options=SoundTextOptions,
    main_steps="flow_steps",
    forced={"condition": "static"},
)
