"""Generate audio from a trained flow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from foleybench.api.model import BuildContext
from foleybench.clips import Clip
from foleymodels._flow.level import with_level
from foleymodels._flow.network import Flow, guided_velocity
from foleymodels._flow.settings import FlowSettings
from foleymodels._parts.draws import Draws
from foleymodels._parts.samplers import AfterStep, FlowStep, sample
from foleymodels._parts.signal import SignalSettings
from foleymodels._parts.windows import Windows
from foleymodels._training.loop import n_parameters
from foleymodels._vocoders.mel_generator import MelGenerator

ClipConditions = Callable[[Sequence[Clip], int], Tensor]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sampling:
    """The settings of sampling a flow.

    Attributes:
        nfe: Velocity evaluations per clip.
        sampler: ``euler`` or ``heun``.
        guidance: Guidance scale; None when the flow has no condition, or has its guidance in the weights.
        scale: Scale that its velocity is taken at; None for the velocity without a condition.
        level_share: How far a sample's loudness is drawn towards that of the first estimate, 0 to 1.
    """

    nfe: int
    sampler: str
    guidance: float | None
    scale: float | None
    level_share: float = 0.0


def sampling_of(settings: FlowSettings, context: BuildContext) -> Sampling:
    """Return the settings of sampling: as asked, else from the flow's settings."""
    asked = settings.guidance if context.guidance is None else context.guidance
    guidance = None if settings.condition == "none" else asked
    return Sampling(
        nfe=settings.nfe if context.nfe is None else context.nfe,
        sampler=settings.sampler if context.sampler is None else context.sampler,
        guidance=guidance,
        scale=guidance,
        level_share=context.level_share or 0.0,
    )


class FlowSampler:
    """Samples a trained flow from noise; windows are cross-faded at every step of the sampler."""

    def __init__(self, flow: Flow, sampling: Sampling, device: str) -> None:
        """Take the trained flow.

        Args:
            flow: The network.
            sampling: Settings of sampling.
            device: A torch device name.
        """
        self._flow = flow.eval().requires_grad_(False).to(device)
        self._sampling, self._device = sampling, device

    def draw(self, condition: Tensor, windows: Windows, rng: Draws, after_step: AfterStep | None = None) -> Tensor:
        """Return mel tokens, shape (batch, n_tokens, token_dim).

        Args:
            condition: Shape (batch, n_tokens, condition_dim).
            windows: Stretches that the network sees at once.
            rng: Source of the noise.
            after_step: Changes the point after a step, as in ``sample``.
        """
        shape = (len(condition), windows.n, self._flow.mel.token_dim)
        noise = torch.from_numpy(rng.standard_normal(shape, dtype=np.float32)).to(self._device)
        return self.integrate(noise, condition.to(self._device), windows, after_step)

    def integrate(
        self, noise: Tensor, condition: Tensor, windows: Windows, after_step: AfterStep | None = None
    ) -> Tensor:
        """Go from noise to mel tokens, both (batch, n_tokens, token_dim)."""
        flow, sampling = self._flow, self._sampling
        prepared = flow.prepare(windows.split(condition))

        def velocity(x: Tensor, tau: Tensor, following: Tensor) -> Tensor:
            now, then = (time.repeat_interleave(len(windows.starts)) for time in (tau, following))
            return windows.merge(guided_velocity(flow, windows.split(x), now, prepared, sampling.scale, then))

        return sample(
            flow.path, velocity, noise,
            nfe=sampling.nfe, method=sampling.sampler, times=flow.times, after_step=after_step,
        )  # fmt: skip


class FlowTokens(FlowSampler):
    """Makes mel tokens of clips."""

    def __init__(self, flow: Flow, condition_of: ClipConditions, sampling: Sampling, device: str) -> None:
        """Take the trained flow.

        Args:
            flow: The network.
            condition_of: From clips of one length and their number of tokens to conditions, shape (n_clips, n_tokens,
                condition_dim).
            sampling: Settings of sampling.
            device: A torch device name.
        """
        super().__init__(flow, sampling, device)
        self._condition_of = condition_of

    def __call__(self, clips: Sequence[Clip], windows: Windows, rng: Draws) -> Tensor:
        """Return the mel tokens of clips of one length, shape (n_clips, n_tokens, token_dim)."""
        condition, share = self._condition_of(clips, windows.n), self._sampling.level_share
        if not share:
            return self.draw(condition, windows, rng)
        first: list[Tensor] = []

        def keep_first(x: Tensor, step: FlowStep) -> Tensor:
            if step.number == 0:
                first.append(step.data)
            return x

        tokens = self.draw(condition, windows, rng, keep_first)
        return with_level(tokens, first[0], share, self._flow.mel)


def flow_generator(
    flow: Flow,
    condition_of: ClipConditions,
    signal: SignalSettings,
    context: BuildContext,
    *,
    sampling: Sampling | None = None,
    more_parameters: int = 0,
) -> MelGenerator:
    """Return the generator of a trained flow.

    Args:
        flow: The network.
        condition_of: From clips of one length and their number of tokens to conditions, shape (n_clips, n_tokens,
            condition_dim).
        signal: Settings of mel tokens and windows.
        context: Device, vocoder, and how it is sampled.
        sampling: Settings of sampling, where they are not ``sampling_of`` the flow's.
        more_parameters: Numbers in the networks that its condition comes from.

    Raises:
        FoleyError: The named vocoder does not fit.
    """
    how = sampling or sampling_of(flow.settings, context)
    return MelGenerator(
        FlowTokens(flow, condition_of, how, context.device),
        signal,
        context,
        n_parameters=n_parameters(flow) + more_parameters,
        nfe=how.nfe,
        guidance=how.guidance,
        sampler=how.sampler,
        level_share=how.level_share,
    )
