"""Sound from silent video with a trained Foley-Flow: any frame rate, any size, any duration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from foleybench.clips import AudioArray, Clip, Clock
from foleybench.errors import FoleyError
from foleybench.model import BuildContext
from foleymodels import _checkpoint
from foleymodels._griffin_lim import griffin_lim
from foleymodels._mel import Mel
from foleymodels._paths import path
from foleymodels._samplers import guided, sample
from foleymodels._video import observe
from foleymodels._windows import Windows
from foleymodels.foleyflow.flow import Flow
from foleymodels.foleyflow.settings import Settings
from foleymodels.foleyflow.train import FLOW_KIND
from foleymodels.foleyflow.vama import Alignment


class FlowGenerator:
    """A trained flow with its alignment network and vocoder.

    Attributes:
        rate_hz: Sample rate of the sound.
        nfe: Velocity evaluations per clip.
        guidance: Guidance scale; None when the model has no condition.
        n_parameters: Numbers in all networks.
    """

    def __init__(
        self, flow: Flow, alignment: Alignment | None, *, nfe: int, guidance: float | None, device: str = "cpu"
    ) -> None:
        self.nfe, self.guidance = nfe, guidance
        self.rate_hz = flow.settings.rate_hz
        self._settings, self._device = flow.settings, device
        self._flow = flow.eval().requires_grad_(False).to(device)
        self._alignment = None if alignment is None else alignment.eval().requires_grad_(False).to(device)
        self._mel = Mel(flow.settings.mel)
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
        tokens = self.sample_tokens(torch.from_numpy(noise).to(self._device), condition).cpu()
        audio = griffin_lim(self._mel, tokens, n_samples, iterations=self._settings.vocoder_iterations)
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

        def velocity(x: Tensor, tau: Tensor) -> Tensor:
            parts = windows.split(x)
            return windows.merge(self._guided(parts, tau.repeat_interleave(len(windows.starts)), prepared))

        chosen = path(self._settings.path)
        return sample(chosen, velocity, noise, nfe=self.nfe, method=self._settings.sampler)

    def _guided(self, x: Tensor, tau: Tensor, prepared: Tensor) -> Tensor:
        kept = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        if self.guidance is None:
            alone: Tensor = self._flow(x, tau, prepared, ~kept)
            return alone
        if self.guidance == 1.0:
            plain: Tensor = self._flow(x, tau, prepared, kept)
            return plain
        both = self._flow(
            torch.cat([x, x]), torch.cat([tau, tau]), torch.cat([prepared, prepared]), torch.cat([kept, ~kept])
        )
        conditional, unconditional = both.chunk(2)
        return guided(conditional, unconditional, self.guidance)

    def _condition(self, clips: Sequence[Clip], n_tokens: int) -> Tensor:
        if self._alignment is None:
            return torch.zeros(len(clips), n_tokens, 1, device=self._device)
        frames = torch.stack([self._frames(clip) for clip in clips])
        return self._alignment.condition(frames.to(self._device), n_tokens)

    def _frames(self, clip: Clip) -> Tensor:
        return frame_maps(clip, self._settings)


def frame_maps(clip: Clip, settings: Settings) -> Tensor:
    """Return a clip's picture as the networks see it, shape (n, cells, cells, 6) uint8.

    Raises:
        FoleyError: The clip came without its picture.
    """
    if clip.frames is None:
        raise FoleyError(f"clip {clip.clip_id} has no picture; this model needs one.")
    return torch.from_numpy(observe(clip.frames, clip.frame_times_s, clip.duration_s, settings.grid_hz, settings.cells))


def build(context: BuildContext) -> FlowGenerator:
    """Read a checkpoint and make the generator.

    Raises:
        FoleyError: No checkpoint was given, or it does not fit.
    """
    if context.checkpoint is None:
        raise FoleyError(
            "this model is trained: name its run folder with --checkpoint, or train it with `foleybench train`."
        )
    flow, alignment = load_model(context.checkpoint)
    settings = flow.settings
    guidance = None
    if settings.condition != "none":
        guidance = settings.guidance if context.guidance is None else context.guidance
    nfe = settings.nfe if context.nfe is None else context.nfe
    return FlowGenerator(flow, alignment, nfe=nfe, guidance=guidance, device=context.device)


def load_model(folder: Path) -> tuple[Flow, Alignment | None]:
    """Read a checkpoint written by ``train``."""
    tensors, config = _checkpoint.load(folder, FLOW_KIND)
    alignment = None
    if config["vama_settings"] is not None:
        alignment = Alignment(Settings.of_checkpoint(config["vama_settings"], folder))
        _checkpoint.load_into(alignment, _part(tensors, "vama."), folder)
    width = 1 if alignment is None else alignment.condition_dim
    flow = Flow(Settings.of_checkpoint(config["settings"], folder), width)
    _checkpoint.load_into(flow, _part(tensors, "flow."), folder)
    return flow, alignment


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
