"""One step instead of many (Eq. 8): heads fine-tuned from a trained flow, with guidance trained into the weights.

``imf``: improved MeanFlow. The network predicts the mean velocity u of the step from t to r < t. By the MeanFlow
identity u = v - (t - r) du/dt along the path, so u + (t - r) stopgrad(du/dt) is compared with a velocity v. The
derivative is a forward-mode product without gradient; the gradient goes through a second, plain evaluation.
``reflow``: pairs of noise and sound made by the trained flow straighten it (random times), then train the single step.
The control for both is the trained flow itself in one step.

Sources: Geng et al. 2025 (MeanFlow; improved MeanFlow); Liu, Gong, Liu 2022 (rectified flow); cyanbx/Frieren-V2A
(reflow with guided pairs, then distillation).
"""

from __future__ import annotations

import dataclasses
import functools
import time
import warnings
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm import tqdm

from foleybench.api.model import TrainContext
from foleybench.files import write_atomically
from foleybench.runtime import distributed
from foleymodels._parts.checkpoint import load_into, read_tensors
from foleymodels._parts.paths import draw_times
from foleymodels._parts.samplers import sample
from foleymodels._training.data_parallel import share
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.loop import (
    Losses,
    batch_indices,
    fit,
    n_parameters,
    outcome,
    seeded,
    step_generator,
    write_metrics,
)
from foleymodels.foleyflow.conditions import Conditions
from foleymodels.foleyflow.flow import Flow, guided_velocity
from foleymodels.foleyflow.loops import draw_crops, loop_settings, watch_of
from foleymodels.foleyflow.samples import averaged
from foleymodels.foleyflow.settings import Settings
from foleymodels.foleyflow.sizes import RunOptions

_PAIRS = "pairs.safetensors"
_PAIR_BATCH = 32
_WEIGHT_FLOOR = 1e-2
_SHORTEST_STEP = 1e-3


def train_head(
    context: TrainContext,
    settings: Settings,
    options: RunOptions,
    teacher: Flow,
    conditions: Conditions,
    data: TrainingData,
) -> Flow:
    """Fine-tune a trained flow to few steps.

    Args:
        context: What was asked for.
        settings: Settings of the run; the network's own ones are the teacher's.
        options: How the run goes.
        teacher: The trained flow.
        conditions: Conditions of the training set.
        data: The training set.

    Returns:
        The flow with its head.
    """
    started = time.monotonic()
    folder = context.out / "head"
    teacher = teacher.to(context.device).eval().requires_grad_(False)
    flow = student(teacher, settings, context.seed).to(context.device)
    if settings.head == "imf":

        def losses(step: int, generator: torch.Generator) -> Losses:
            indices, starts = draw_crops(data, settings.head_batch, settings.flow_tokens, step, context.seed, generator)
            tokens = data.crop_tokens(indices, starts, settings.flow_tokens).to(context.device)
            condition = conditions.crop(indices, starts, settings.flow_tokens).to(context.device)
            return {"loss": mean_flow_loss(flow, teacher, tokens, condition, generator)}

    else:
        pairs = Pairs(teacher, flow.settings, conditions, data, folder, context.seed)

        def losses(step: int, generator: torch.Generator) -> Losses:
            distil = step >= settings.head_steps * (1 - settings.reflow_distill_p)
            chosen = share().rows(batch_indices(settings.reflow_pairs, settings.head_batch, step, context.seed))
            return {"loss": pairs.loss(flow, chosen, generator, distil=distil)}

    loop = loop_settings(settings, options, "head")
    watch = watch_of(context, lambda weights: (averaged(flow, weights), conditions.alignment), "samples/head")
    name = f"head ({settings.head})"
    flow.load_state_dict(fit(flow, losses, loop, folder, seed=context.seed, name=name, watch=watch))
    seconds = round(time.monotonic() - started, 2)
    facts = {"name": settings.head, "parameters": n_parameters(flow), "seconds": seconds}
    write_metrics(context.out, {"head": {**outcome(folder), **facts}})
    if distributed.first():
        (folder / _PAIRS).unlink(missing_ok=True)
    return flow.eval()


def student(teacher: Flow, settings: Settings, seed: int) -> Flow:
    """Return a copy of a flow that can learn the head of some settings; what is new in it starts at zero."""
    own = {
        field.name: getattr(settings, field.name)
        for field in dataclasses.fields(Settings)
        if field.name.startswith(("head", "imf_", "reflow_"))
    }
    flow = seeded(lambda: Flow(dataclasses.replace(teacher.settings, **own), len(teacher.null)), seed)
    load_into(flow, {**flow.state_dict(), **teacher.state_dict()}, Path("the trained flow"))
    return flow


def mean_flow_loss(flow: Flow, teacher: Flow, tokens: Tensor, condition: Tensor, generator: torch.Generator) -> Tensor:
    """Return the improved MeanFlow loss of a batch, each example weighted by 1 / (its error + 0.01).

    Args:
        flow: The network that learns.
        teacher: The trained flow: start of the weights and source of guidance.
        tokens: Data, shape (batch, n, token_dim).
        condition: Shape (batch, n, condition_dim).
        generator: Source of times and noise.
    """
    path, settings = flow.path, flow.settings
    part, n = share(), len(tokens) * share().of
    late, early = (part.rows(times).to(tokens.device) for times in _draw_steps(flow, n, generator))
    noise = part.rows(torch.randn((n, *tokens.shape[1:]), generator=generator)).to(tokens.device)
    at = late[:, None, None]
    x = path.mix(tokens, noise, at)
    prepared = flow.prepare(condition)
    with torch.no_grad():
        wanted = _wanted_velocity(teacher, settings, x, tokens, noise, late, prepared)
        slope = torch.zeros_like(x)
        jumps = (late - early >= _SHORTEST_STEP).nonzero()[:, 0]
        if len(jumps):
            slope[jumps] = _slope(flow, x[jumps], late[jumps], early[jumps], prepared[jumps], wanted[jumps])
    found = _mean_velocity(flow, x, late, early, prepared)
    errors = (found + (late - early)[:, None, None] * slope - wanted).square().mean((1, 2))
    return (errors / (errors.detach() + _WEIGHT_FLOOR)).mean()


def _draw_steps(flow: Flow, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw where steps start and end, both (n,); equal for a share, from noise to data for a share of the rest."""
    settings = flow.settings
    one, other = (
        draw_times(
            flow.path, n, generator, mean=settings.noise_mean, spread=settings.noise_spread,
            pure_noise_p=settings.pure_noise_p,
        )
        for _ in range(2)
    )  # fmt: skip
    same = torch.rand(n, generator=generator) < settings.imf_same_p
    jump = torch.rand(n, generator=generator) < settings.imf_jump_p
    late, early = torch.maximum(one, other), torch.minimum(one, other)
    late, early = torch.where(jump, torch.ones(n), late), torch.where(jump, torch.zeros(n), early)
    return torch.where(same, one, late), torch.where(same, one, early)


def _wanted_velocity(
    teacher: Flow, settings: Settings, x: Tensor, tokens: Tensor, noise: Tensor, tau: Tensor, prepared: Tensor
) -> Tensor:
    """Return dx / dtau that the identity is held to: the trained flow's, or the example's moved by its guidance."""
    scale, path = settings.head_guidance, teacher.path
    if settings.condition == "none":
        guided = guided_velocity(teacher, x, tau, prepared, None)
    else:
        guided = guided_velocity(teacher, x, tau, prepared, scale)
    if settings.imf_target == "teacher":
        return path.speed * guided
    plain = guided_velocity(teacher, x, tau, prepared, None if settings.condition == "none" else 1.0)
    return path.speed * (path.target(tokens, noise, tau[:, None, None]) + guided - plain)


def _mean_velocity(flow: Flow, x: Tensor, late: Tensor, early: Tensor, prepared: Tensor) -> Tensor:
    """Return the mean of dx / dtau over the step from ``late`` to ``early``, its limit where they are equal.

    The network says which data, with the noise that explains ``x``, ends the step where it should.
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

    Fused attention kernels have no forward mode.
    """
    plain = torch.autocast(x.device.type, enabled=False)
    with plain, sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
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
    """Noise and the sound that the trained flow makes of it, for crops of the training set."""

    def __init__(
        self,
        teacher: Flow,
        settings: Settings,
        conditions: Conditions,
        data: TrainingData,
        folder: Path,
        seed: int,
    ) -> None:
        """Make the pairs, or read those that a run which was cut short has made.

        Args:
            teacher: The trained flow.
            settings: Number of pairs, evaluations and guidance.
            conditions: Conditions of the training set.
            data: The training set.
            folder: Where the pairs are kept until the head is trained.
            seed: Decides crops and noise.
        """
        self._settings, self._conditions, self._seed = settings, conditions, seed
        self._device = teacher.null.device
        generator = step_generator(seed, "pairs")
        self._clips = torch.arange(settings.reflow_pairs) % len(data)
        self._starts = data.starts(self._clips, settings.flow_tokens, generator)
        path = folder / _PAIRS
        if not distributed.agreed(path.is_file()):
            if distributed.first():
                folder.mkdir(parents=True, exist_ok=True)
                write_atomically(path, safetensors.torch.save({"sounds": self._make(teacher)}))
            distributed.agreed(True)
        self._sounds = read_tensors(path)["sounds"]

    def loss(self, flow: Flow, chosen: Tensor, generator: torch.Generator, *, distil: bool) -> Tensor:
        """Return the squared error on the sound of some pairs: from anywhere between, or from pure noise alone."""
        noise, sounds = self._noise(chosen).to(self._device), self._sounds[chosen].float().to(self._device)
        settings, path, n = flow.settings, flow.path, len(chosen)
        tau = draw_times(
            path, n * share().of, generator, mean=settings.noise_mean, spread=settings.noise_spread,
            pure_noise_p=1.0 if distil else settings.pure_noise_p,
        )  # fmt: skip
        tau = share().rows(tau).to(self._device)
        dropped = torch.full((n,), settings.condition == "none", device=self._device)
        prepared = flow.prepare(self._condition(chosen))
        return F.mse_loss(flow.data(path.mix(sounds, noise, tau[:, None, None]), tau, prepared, dropped), sounds)

    def _condition(self, chosen: Tensor) -> Tensor:
        starts = self._starts[chosen.numpy()]
        return self._conditions.crop(self._clips[chosen], starts, self._settings.flow_tokens).to(self._device)

    def _noise(self, chosen: Tensor) -> Tensor:
        shape = (self._settings.flow_tokens, self._settings.mel.token_dim)
        return torch.stack(
            [torch.randn(shape, generator=step_generator(self._seed, "pair", int(index))) for index in chosen]
        )

    @torch.inference_mode()
    def _make(self, teacher: Flow) -> Tensor:
        scale = None if self._settings.condition == "none" else self._settings.head_guidance
        made = []
        for start in tqdm(range(0, len(self._clips), _PAIR_BATCH), desc="pairs", unit="batch", disable=None):
            chosen = torch.arange(start, min(start + _PAIR_BATCH, len(self._clips)))
            velocity = functools.partial(_towards, teacher, teacher.prepare(self._condition(chosen)), scale)
            noise, nfe = self._noise(chosen).to(self._device), self._settings.reflow_nfe
            sounds = sample(teacher.path, velocity, noise, nfe=nfe, method=self._settings.sampler, times=teacher.times)
            made.append(sounds.half().cpu())
        return torch.cat(made).clone()


def _towards(flow: Flow, prepared: Tensor, scale: float | None, x: Tensor, tau: Tensor, following: Tensor) -> Tensor:
    """Return the guided velocity in the form that samplers ask for it."""
    return guided_velocity(flow, x, tau, prepared, scale, following)
