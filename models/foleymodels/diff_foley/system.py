"""Sample Diff-Foley with both guidances, and put its parts together."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from foleybench.api.model import BuildContext
from foleybench.clips import Clip
from foleymodels._diffusion.guidance import classifier_guided, differentiable, gradient
from foleymodels._diffusion.process import Process
from foleymodels._diffusion.samplers import denoise
from foleymodels._parts.draws import Draws
from foleymodels._parts.samplers import guided
from foleymodels._parts.windows import Windows
from foleymodels._systems.features import FRAME_FEATURES, clip_conditions
from foleymodels._systems.parts import Parts
from foleymodels._systems.system import System
from foleymodels._training.loop import n_parameters
from foleymodels._vocoders.mel_generator import MelGenerator
from foleymodels.diff_foley.network import CrossDenoiser, PairJudge
from foleymodels.diff_foley.settings import DiffFoleyOptions, DiffFoleySettings
from foleymodels.diff_foley.training import DIFFUSION, DIFFUSION_PART, JUDGE, JUDGE_PART


@dataclasses.dataclass(frozen=True, kw_only=True)
class DoubleGuidance:
    """Denoises mel tokens, guided by its condition and by its judge.

    Attributes:
        denoiser: The denoiser.
        judge: The judge of noisy pairs.
        nfe: Evaluations of the denoiser.
        guidance: Scale of the guidance by the condition; 1 for none.
        judge_guidance: Scale of the guidance by the judge; 0 for none.
        sampler: ``dpm`` or ``ddim``.
    """

    denoiser: CrossDenoiser
    judge: PairJudge
    nfe: int
    guidance: float
    judge_guidance: float
    sampler: str

    @property
    def evaluations(self) -> int:
        """Evaluations for a clip; those of the judge count twice, forward and backward."""
        return self.nfe * (3 if self.judge_guidance else 1)

    def __call__(self, noise: Tensor, conditions: Tensor, windows: Windows) -> Tensor:
        """Go from noise to mel tokens, both (batch, n_tokens, token_dim); windows are cross-faded at every step.

        Args:
            noise: Starting point.
            conditions: Frame features, one for each token, shape (batch, n_tokens, video_dim).
            windows: Stretches that the networks see at once.
        """
        settings, parts = self.denoiser.settings, windows.split(conditions)
        process = Process.of(settings.noise_schedule, settings.predicts)
        video, judged = self.denoiser.net.tokens(parts), self.judge.net.tokens(parts)

        def predict(x: Tensor, t: Tensor) -> Tensor:
            at, now = windows.split(x), t.repeat_interleave(len(windows.starts))
            found = self._plain(at, now, video)
            return windows.merge(self._judged(process, at, now, found, judged) if self.judge_guidance else found)

        return denoise(process, predict, noise, nfe=self.nfe, method=self.sampler)

    def _plain(self, x: Tensor, t: Tensor, video: Tensor) -> Tensor:
        """Return the prediction, guided by the condition: without it the video tokens are 0."""
        if self.guidance == 1.0:
            out: Tensor = self.denoiser(x, t, video)
            return out
        both = self.denoiser(torch.cat([x, x]), torch.cat([t, t]), torch.cat([video, torch.zeros_like(video)]))
        conditional, unconditional = both.chunk(2)
        return guided(conditional, unconditional, self.guidance)

    def _judged(self, process: Process, x: Tensor, t: Tensor, found: Tensor, video: Tensor) -> Tensor:
        """Return the prediction moved towards what the judge finds to go together."""
        slope = gradient(lambda at: F.logsigmoid(self.judge(at, t, video)), x)
        alpha, sigma = (weight(t)[:, None, None] for weight in (process.schedule.alpha, process.schedule.sigma))
        noise = classifier_guided(process.ends(x, found, t).noise, slope, sigma, self.judge_guidance)
        return process.target((x - sigma * noise) / alpha, noise, t)


def _generator(settings: DiffFoleySettings, parts: Parts, context: BuildContext) -> MelGenerator:
    denoiser, judge, net = parts[DIFFUSION], parts[JUDGE], settings.net
    assert isinstance(denoiser, CrossDenoiser)
    assert isinstance(judge, PairJudge)
    see, device = clip_conditions(parts, settings, context.device), context.device
    sampled = DoubleGuidance(
        denoiser=denoiser,
        judge=judge,
        nfe=net.nfe if context.nfe is None else context.nfe,
        guidance=net.guidance if context.guidance is None else context.guidance,
        judge_guidance=settings.double.judge_guidance,
        sampler=net.sampler if context.sampler is None else context.sampler,
    )

    def make(clips: Sequence[Clip], windows: Windows, rng: Draws) -> Tensor:
        shape = (len(clips), windows.n, settings.signal.mel.token_dim)
        with differentiable():
            noise = torch.from_numpy(rng.standard_normal(shape, dtype=np.float32)).to(device)
            return sampled(noise, see(clips, windows.n), windows)

    used = (FRAME_FEATURES.name, DIFFUSION, *([JUDGE] if settings.double.judge_guidance else []))
    return MelGenerator(
        make,
        settings.signal,
        context,
        n_parameters=sum(n_parameters(parts[name]) for name in used),
        nfe=sampled.evaluations,
        guidance=sampled.guidance,
        sampler=sampled.sampler,
    )


SYSTEM = System(
    name="diff_foley",
    settings=DiffFoleySettings,
    parts=(FRAME_FEATURES, JUDGE_PART, DIFFUSION_PART),
    generator=_generator,
    options=DiffFoleyOptions,
)
