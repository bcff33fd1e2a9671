"""Fine-tune heads that need one step (Eq. 8) from a flow.

Guidance is trained into the weights.

``imf``: improved MeanFlow. The network predicts the mean velocity u of the step from t to r < t. By the MeanFlow
identity u = v - (t - r) du/dt along the path, so u + (t - r) stopgrad(du/dt) is compared with a velocity v. The
derivative is a forward-mode product without gradient; the gradient goes through a second, plain evaluation. ``reflow``:
pairs of noise and mel tokens made by the trained flow straighten it (random times), then train the single step. The
control for both is the trained flow itself in one step.

Sources: Geng et al. 2025 (MeanFlow; improved MeanFlow); Liu, Gong, Liu 2022 (rectified flow); cyanbx/Frieren-V2A
(reflow with guided pairs, then distillation).
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from foleybench.api.model import Generator
from foleybench.runtime import distributed
from foleybench.runtime.progress import Progress
from foleymodels._flow.network import Flow, guided_velocity
from foleymodels._flow.training import crop_tokens
from foleymodels._parts.blocks import norms_written_out
from foleymodels._parts.checkpoint import load_into, read_tensors, write_tensors
from foleymodels._parts.paths import draw_times
from foleymodels._parts.samplers import sample
from foleymodels._training.conditions import Conditions, NoConditions
from foleymodels._training.data_parallel import share
from foleymodels._training.job import Job
from foleymodels._training.loop import (
    Losses,
    LossFunction,
    batch_indices,
    n_parameters,
    seeded,
    step_generator,
    write_metrics,
)
from foleymodels._training.samples import averaged
from foleymodels._training.transfer import to_device
from foleymodels.foleyflow.settings import FoleyFlowSettings, HeadSettings

FOLDER = "head"
_PAIRS = "pairs.safetensors"
_PAIR_BATCH = 32
_WEIGHT_FLOOR = 1e-2
_SHORTEST_STEP = 1e-3


def train_head(
    job: Job,
    settings: FoleyFlowSettings,
    teacher: Flow,
    conditions: Conditions | NoConditions,
    generator_of: Callable[[Flow], Generator],
) -> Flow:
    """Fine-tune a trained flow to few steps.

    Args:
        job: The run.
        settings: Settings of the run; the network's own ones are the teacher's.
        teacher: The trained flow.
        conditions: Conditions | NoConditions of the training set.
        generator_of: Makes the generator of samples from a flow with a head.

    Returns:
        The flow with its head.
    """
    context, head = job.context, settings.head
    teacher = teacher.to(context.device).eval().requires_grad_(False)
    flow = student(teacher, head, context.seed).to(context.device)
    folder = context.out / FOLDER
    if head.head == "imf":
        losses = _imf_losses(job, settings, teacher, flow, conditions)
    else:
        losses = _reflow_losses(job, head, teacher, flow, conditions)
    facts = job.fit(
        flow, losses, FOLDER,
        steps=head.head_steps, rate=head.head_rate, ema=settings.flow.ema_decay, name=f"head ({head.head})",
        monitor=job.monitor(lambda weights: generator_of(averaged(flow, weights)), flow.mel, "samples/head"),
    )  # fmt: skip
    write_metrics(context.out, {"head": {**facts, "name": head.head, "parameters": n_parameters(flow)}})
    if distributed.first():
        (folder / _PAIRS).unlink(missing_ok=True)
    return flow.eval()


def student(teacher: Flow, head: HeadSettings, seed: int) -> Flow:
    """Return a copy of a flow that can learn a head; its new layers start at zero."""
    told_span = head.head == "imf"
    flow = seeded(lambda: Flow(teacher.settings, teacher.mel, len(teacher.null), told_span=told_span), seed)
    load_into(flow, {**flow.state_dict(), **teacher.state_dict()}, Path("the trained flow"))
    return flow


def _imf_losses(
    job: Job, settings: FoleyFlowSettings, teacher: Flow, flow: Flow, conditions: Conditions | NoConditions
) -> LossFunction:
    head, device = settings.head, job.context.device
    n_tokens = settings.signal.tokens(settings.flow.flow_crop_s)

    def losses(step: int, generator: torch.Generator) -> Losses:
        indices, starts = job.draw_crops(head.head_batch, n_tokens, step, generator)
        tokens = job.data.crop_tokens(indices, starts, n_tokens, device)
        condition = conditions.crop(indices, starts, n_tokens, device)
        return {"loss": mean_flow_loss(flow, teacher, head, tokens, condition, generator)}

    return losses


def _reflow_losses(
    job: Job, head: HeadSettings, teacher: Flow, flow: Flow, conditions: Conditions | NoConditions
) -> LossFunction:
    pairs = Pairs(job, head, teacher, conditions)

    def losses(step: int, generator: torch.Generator) -> Losses:
        distil = step >= head.head_steps * (1 - head.reflow_distill_p)
        chosen = share().rows(batch_indices(head.reflow_pairs, head.head_batch, step, job.context.seed))
        return {"loss": pairs.loss(flow, chosen, generator, distil=distil)}

    return losses


def mean_flow_loss(
    flow: Flow, teacher: Flow, head: HeadSettings, tokens: Tensor, condition: Tensor, generator: torch.Generator
) -> Tensor:
    """Return the improved MeanFlow loss of a batch, each example weighted by 1 / (its error + 0.01).

    Args:
        flow: The network that learns.
        teacher: The trained flow: start of the weights and source of guidance.
        head: Guidance, target and the draw of steps.
        tokens: Data, shape (batch, n, token_dim).
        condition: Shape (batch, n, condition_dim).
        generator: Source of times and noise.
    """
    path = flow.path
    part, n = share(), len(tokens) * share().of
    late, early = (part.rows(times).to(tokens.device) for times in _draw_steps(flow, head, n, generator))
    noise = to_device(part.rows(torch.randn((n, *tokens.shape[1:]), generator=generator)), tokens.device)
    at = late[:, None, None]
    x = path.mix(tokens, noise, at)
    prepared = flow.prepare(condition)
    with torch.no_grad():
        wanted = _wanted_velocity(teacher, head, x, tokens, noise, late, prepared)
        slope = torch.zeros_like(x)
        jumps = (late - early >= _SHORTEST_STEP).nonzero()[:, 0]
        if len(jumps):
            slope[jumps] = _slope(flow, x[jumps], late[jumps], early[jumps], prepared[jumps], wanted[jumps])
    found = _mean_velocity(flow, x, late, early, prepared)
    errors = (found + (late - early)[:, None, None] * slope - wanted).square().mean((1, 2))
    return (errors / (errors.detach() + _WEIGHT_FLOOR)).mean()


def _draw_steps(flow: Flow, head: HeadSettings, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw starts and ends of steps, both (n,); equal for a share, from noise to data for a share of the rest."""
    settings = flow.settings
    one, other = (
        draw_times(
            flow.path, n, generator, mean=settings.noise_mean, spread=settings.noise_spread,
            pure_noise_p=settings.pure_noise_p,
        )
        for _ in range(2)
    )  # fmt: skip
    same = torch.rand(n, generator=generator) < head.imf_same_p
    jump = torch.rand(n, generator=generator) < head.imf_jump_p
    late, early = torch.maximum(one, other), torch.minimum(one, other)
    late, early = torch.where(jump, torch.ones(n), late), torch.where(jump, torch.zeros(n), early)
    return torch.where(same, one, late), torch.where(same, one, early)


def _wanted_velocity(
    teacher: Flow, head: HeadSettings, x: Tensor, tokens: Tensor, noise: Tensor, tau: Tensor, prepared: Tensor
) -> Tensor:
    """Return dx / dtau that the identity is held to: the trained flow's, or the example's moved by its guidance."""
    path, without = teacher.path, teacher.settings.condition == "none"
    guided = guided_velocity(teacher, x, tau, prepared, None if without else head.head_guidance)
    if head.imf_target == "teacher":
        return path.speed * guided
    plain = guided_velocity(teacher, x, tau, prepared, None if without else 1.0)
    return path.speed * (path.target(tokens, noise, tau[:, None, None]) + guided - plain)


def _mean_velocity(flow: Flow, x: Tensor, late: Tensor, early: Tensor, prepared: Tensor) -> Tensor:
    """Return the mean of dx / dtau over the step from ``late`` to ``early``, its limit where they are equal.

    The network estimates the data which, with the noise that explains ``x``, ends the step at the right point.
    """
    path = flow.path
    dropped = torch.full((len(x),), flow.settings.condition == "none", device=x.device)
    data = flow.data(x, late, prepared, dropped, early)
    start, end = late[:, None, None], early[:, None, None]
    length = start - end
    noise = path.noise_of(x, data, start)
    there = path.mix(data, noise, end)
    apart = length >= _SHORTEST_STEP
    mean = (path.mix(data, noise, start) - there) / torch.where(apart, length, torch.ones_like(length))
    return torch.where(apart, mean, path.speed * path.target(data, noise, start))


def _slope(flow: Flow, x: Tensor, late: Tensor, early: Tensor, prepared: Tensor, velocity: Tensor) -> Tensor:
    """Return the derivative of the mean velocity along the path, never in bfloat16: a derivative is a small difference.

    Fused kernels of attention have no forward mode, and those of norms need not have one.
    """
    plain = torch.autocast(x.device.type, enabled=False)
    with plain, sdpa_kernel(SDPBackend.MATH), norms_written_out(), warnings.catch_warnings():
        # The first forward-mode call of a process makes torch compile helpers with a function that it has deprecated.
        warnings.filterwarnings("ignore", message=".*torch.jit.script", category=DeprecationWarning)
        found = torch.func.jvp(
            lambda point, time: _mean_velocity(flow, point, time, early, prepared),
            (x, late),
            (velocity, torch.ones_like(late)),
        )
    slope: Tensor = found[1]
    return slope


class Pairs:
    """Noise and the mel tokens that the trained flow makes of it, for crops of the training set."""

    def __init__(self, job: Job, head: HeadSettings, teacher: Flow, conditions: Conditions | NoConditions) -> None:
        """Make the pairs, or read those of an interrupted run.

        Args:
            job: The run; pairs are kept in its folder until the head is trained.
            head: Number of pairs, evaluations and guidance.
            teacher: The trained flow.
            conditions: Conditions | NoConditions of the training set.
        """
        self._head, self._conditions, self._seed = head, conditions, job.context.seed
        self._shape, self._device = (crop_tokens(teacher), teacher.mel.token_dim), teacher.null.device
        self._clips = torch.arange(head.reflow_pairs) % len(job.data)
        self._starts = job.data.starts(self._clips, self._shape[0], step_generator(self._seed, "pairs"))
        path = job.context.out / FOLDER / _PAIRS
        if not distributed.agreed(path.is_file()):
            if distributed.first():
                write_tensors(path, {"sounds": self._make(teacher)})
            distributed.agreed(True)
        self._tokens = read_tensors(path)["sounds"]

    def loss(self, flow: Flow, chosen: Tensor, generator: torch.Generator, *, distil: bool) -> Tensor:
        """Return the squared error on the tokens of some pairs: from anywhere between, or from pure noise alone."""
        noise, tokens = self._noise(chosen).to(self._device), self._tokens[chosen].float().to(self._device)
        settings, path, n = flow.settings, flow.path, len(chosen)
        tau = draw_times(
            path, n * share().of, generator, mean=settings.noise_mean, spread=settings.noise_spread,
            pure_noise_p=1.0 if distil else settings.pure_noise_p,
        )  # fmt: skip
        tau = share().rows(tau).to(self._device)
        dropped = torch.full((n,), settings.condition == "none", device=self._device)
        prepared = flow.prepare(self._condition(chosen))
        return F.mse_loss(flow.data(path.mix(tokens, noise, tau[:, None, None]), tau, prepared, dropped), tokens)

    def _condition(self, chosen: Tensor) -> Tensor:
        starts = self._starts[chosen.numpy()]
        return self._conditions.crop(self._clips[chosen], starts, self._shape[0], self._device)

    def _noise(self, chosen: Tensor) -> Tensor:
        return torch.stack(
            [torch.randn(self._shape, generator=step_generator(self._seed, "pair", int(index))) for index in chosen]
        )

    @torch.inference_mode()
    def _make(self, teacher: Flow) -> Tensor:
        settings, nfe = teacher.settings, self._head.reflow_nfe
        scale = None if settings.condition == "none" else self._head.head_guidance
        made = []
        for start in Progress(range(0, len(self._clips), _PAIR_BATCH), desc="pairs", unit="batch"):
            chosen = torch.arange(start, min(start + _PAIR_BATCH, len(self._clips)))
            velocity = functools.partial(_towards, teacher, teacher.prepare(self._condition(chosen)), scale)
            noise = self._noise(chosen).to(self._device)
            tokens = sample(teacher.path, velocity, noise, nfe=nfe, method=settings.sampler, times=teacher.times)
            made.append(tokens.half().cpu())
        return torch.cat(made).clone()


def _towards(flow: Flow, prepared: Tensor, scale: float | None, x: Tensor, tau: Tensor, following: Tensor) -> Tensor:
    """Return the guided velocity in the form that samplers ask for it."""
    return guided_velocity(flow, x, tau, prepared, scale, following)
