"""Sound from silent video with a trained Foley-Flow: any frame rate, any size, any duration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from foleybench.api.model import BuildContext
from foleybench.clips import AudioArray, Clip, Clock
from foleybench.errors import FoleyError
from foleymodels._parts.samplers import sample
from foleymodels._parts.windows import Windows
from foleymodels._training.decoded_data import see
from foleymodels._vocoders.choose import GriffinLim, Vocoder, vocoder_of
from foleymodels.foleyflow.alignment import Alignment
from foleymodels.foleyflow.checkpoints import load_model
from foleymodels.foleyflow.flow import Flow, guided_velocity
from foleymodels.foleyflow.settings import Settings


class FlowGenerator:
    """A trained flow with its alignment network and vocoder.

    Attributes:
        rate_hz: Sample rate of the sound.
        nfe: Velocity evaluations per clip.
        guidance: Guidance scale at sampling; None when the model has no condition, or has its guidance in the weights.
        n_parameters: Numbers in all networks.
        sampler: How the flow is integrated.
        vocoder: What turns mel tokens into sound.
    """

    def __init__(
        self,
        flow: Flow,
        alignment: Alignment | None,
        *,
        nfe: int,
        guidance: float | None,
        sampler: str,
        vocoder: Vocoder | None = None,
        device: str = "cpu",
    ) -> None:
        self.sampler = sampler
        self._vocoder = vocoder or GriffinLim(flow.settings.mel, flow.settings.vocoder_iterations)
        self.vocoder = self._vocoder.name
        self.nfe, self.guidance = nfe, guidance
        self.rate_hz = flow.settings.rate_hz
        self._settings, self._device = flow.settings, device
        trained_in = flow.settings.head != "ode" and flow.settings.condition != "none"
        self._scale = 1.0 if trained_in else guidance
        self._flow = flow.eval().requires_grad_(False).to(device)
        self._alignment = None if alignment is None else alignment.eval().requires_grad_(False).to(device)
        parts = [flow] if alignment is None else [flow, alignment]
        self.n_parameters = sum(value.numel() for part in parts for value in part.parameters())

    def generate(self, clips: Sequence[Clip], rng: np.random.Generator) -> list[AudioArray]:
        """Make sound; clips of one length are processed as one batch, in the order of the list."""
        sounds: dict[int, AudioArray] = {}
        for n_samples in dict.fromkeys(Clock(clip.duration_s).samples(self.rate_hz) for clip in clips):
            group = [i for i, clip in enumerate(clips) if Clock(clip.duration_s).samples(self.rate_hz) == n_samples]
            for index, sound in zip(group, self._generate([clips[i] for i in group], n_samples, rng), strict=True):
                sounds[index] = sound
        return [sounds[index] for index in range(len(clips))]

    @torch.inference_mode()
    def _generate(self, clips: Sequence[Clip], n_samples: int, rng: np.random.Generator) -> list[AudioArray]:
        n_tokens = self._settings.mel.n_tokens(n_samples)
        noise = rng.standard_normal((len(clips), n_tokens, self._settings.mel.token_dim), dtype=np.float32)
        condition = self._condition(clips, n_tokens)
        tokens = self.sample_tokens(torch.from_numpy(noise).to(self._device), condition)
        audio = self._vocoder(tokens, n_samples)
        return [np.ascontiguousarray(sound) for sound in audio.clamp(-1.0, 1.0).numpy()]

    def sample_tokens(self, noise: Tensor, condition: Tensor) -> Tensor:
        """Integrate the flow; long inputs as windows whose velocities are cross-faded at every step.

        Args:
            noise: Shape (batch, n_tokens, token_dim).
            condition: From the alignment stage, shape (batch, n_tokens, condition_dim).

        Returns:
            Mel tokens, shape of ``noise``.
        """
        windows = Windows.cover(noise.shape[1], self._settings.n_tokens)
        prepared = self._flow.prepare(windows.split(condition))

        def velocity(x: Tensor, tau: Tensor, following: Tensor) -> Tensor:
            times = (time.repeat_interleave(len(windows.starts)) for time in (tau, following))
            now, then = times
            return windows.merge(guided_velocity(self._flow, windows.split(x), now, prepared, self._scale, then))

        flow = self._flow
        return sample(flow.path, velocity, noise, nfe=self.nfe, method=self.sampler, times=flow.times)

    def _condition(self, clips: Sequence[Clip], n_tokens: int) -> Tensor:
        if self._alignment is None:
            return torch.zeros(len(clips), n_tokens, 1, device=self._device)
        frames = torch.stack([self._frames(clip) for clip in clips])
        return self._alignment.condition(frames.to(self._device), n_tokens)

    def _frames(self, clip: Clip) -> Tensor:
        return seen(clip, self._settings)


def seen(clip: Clip, settings: Settings) -> Tensor:
    """Return a clip's picture as the alignment network sees it, maps or features, shape (n, ...).

    Raises:
        FoleyError: The clip came without its picture.
    """
    return torch.from_numpy(see(clip, settings.cache))


def build(context: BuildContext) -> FlowGenerator:
    """Read a checkpoint and make the generator.

    Raises:
        FoleyError: No checkpoint was given, or it does not fit.
    """
    if context.checkpoint is None:
        raise FoleyError(
            "this model is trained: name its run folder with --checkpoint, or train it with `foleybench train`."
        )
    return generator_of(*load_model(context.checkpoint), context)


def generator_of(flow: Flow, alignment: Alignment | None, context: BuildContext) -> FlowGenerator:
    """Make the generator of trained networks.

    Args:
        flow: The flow.
        alignment: The network of its condition, or None.
        context: How it is sampled.

    Raises:
        FoleyError: Guidance was asked for, and is in the weights.
    """
    settings = flow.settings
    guidance = None
    if settings.head != "ode" and context.guidance is not None:
        raise FoleyError(
            f"guidance {settings.head_guidance:g} is trained into this model (head={settings.head}). "
            "Leave --guidance out, or train another head with --set head_guidance=SCALE."
        )
    if settings.head == "ode" and settings.condition != "none":
        guidance = settings.guidance if context.guidance is None else context.guidance
    default_nfe = settings.nfe if settings.head == "ode" else 1
    nfe = default_nfe if context.nfe is None else context.nfe
    sampler = settings.sampler if context.sampler is None else context.sampler
    vocoder = vocoder_of(context, settings.mel, settings.vocoder_iterations)
    return FlowGenerator(
        flow, alignment, nfe=nfe, guidance=guidance, sampler=sampler, vocoder=vocoder, device=context.device
    )
