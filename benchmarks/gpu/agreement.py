"""Compare networks and losses on a CPU and on the device, and bfloat16 with float32."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from benchmarks.gpu.material import load, settings_of
from benchmarks.gpu.phases import Plan, Report
from foleybench.api.model import TrainContext
from foleybench.clips import IntArray
from foleymodels._alignment.network import Alignment, FeatureAdapter
from foleymodels._alignment.objective import Draw
from foleymodels._alignment.stage import objective_of
from foleymodels._flow.network import Flow
from foleymodels._flow.training import crop_tokens, flow_loss
from foleymodels._small_encoders.objectives import OBJECTIVES
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.job import Job
from foleymodels._training.loop import seeded, step_generator
from foleymodels._training.settings import LoopSettings, RunOptions
from foleymodels._vocoders.vocos import Vocos, VocosShape
from foleymodels.foleyflow import heads

FLOAT32_LIMIT = 1e-4
BFLOAT16_LIMIT = 0.02
_BATCH = 4
_WIDTH = 32  # numbers of the condition that a flow is compared with


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """A module and what is computed with it.

    Attributes:
        module: On the CPU; it is copied to the device.
        run: From the module and a device to a scalar, or to a tensor whose mean square is differentiated.
        mixed: Whether it is trained in bfloat16.
        forward_only: Whether it has no gradient to compare.
    """

    module: nn.Module
    run: Callable[[nn.Module, str], Tensor]
    mixed: bool = False
    forward_only: bool = False


def agreement(plan: Plan, report: Report) -> None:
    """Compare every case in float32: forward, backward, and the forward-mode derivative of ``imf``."""
    exact_products()
    for name, case in cases(plan).items():
        with reported(report, name):
            on_cpu, on_device = found(case, "cpu"), found(case, plan.device)
            errors = {part: difference(on_cpu[part], on_device[part]) for part in on_cpu}
            within = max(errors.values()) <= FLOAT32_LIMIT
            report.add(name, **errors, limit=FLOAT32_LIMIT, within=within)
            if not within:
                report.add("by rounding", of=name, seeds=[by_rounding(case, on_cpu, seed) for seed in range(6)])


def bfloat16(plan: Plan, report: Report) -> None:
    """Compare the losses under autocast with their float32 on the device."""
    exact_products()
    for name, case in cases(plan).items():
        if not case.mixed:
            continue
        with reported(report, name):
            module = copy.deepcopy(case.module).to(plan.device)
            plain = float(case.run(module, plan.device).detach())
            kind = torch.device(plan.device).type
            refused = RefusedByCuda() if kind == "cpu" else contextlib.nullcontext()
            with torch.autocast(kind, torch.bfloat16, cache_enabled=False), refused:
                mixed = float(case.run(module, plan.device).detach())
            off = abs(mixed - plain) / max(abs(plain), 1e-12)
            report.add(name, float32=plain, bfloat16=mixed, off=off, limit=BFLOAT16_LIMIT, within=off <= BFLOAT16_LIMIT)


class RefusedByCuda(TorchFunctionMode):
    """Refuses what autocast refuses on a GPU alone, so that the small form finds it on a CPU, too.

    A list of one: https://docs.pytorch.org/docs/2.11/amp.html, "prefer binary_cross_entropy_with_logits".
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Raise RuntimeError for ``binary_cross_entropy`` where autocast is on; call everything else."""
        if getattr(func, "__name__", "") == "binary_cross_entropy" and torch.is_autocast_enabled("cpu"):
            raise RuntimeError("binary_cross_entropy is refused under autocast on a GPU; give logits instead.")
        return func(*args, **(kwargs or {}))


def by_rounding(case: Case, exact: Mapping[str, Tensor], seed: int) -> dict[str, float]:
    """Return what one step of float32 up or down in every weight changes on the CPU: how much the case itself tells."""
    moved = dataclasses.replace(case, module=copy.deepcopy(case.module))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in moved.module.parameters():
            side = torch.where(torch.rand(parameter.shape, generator=generator) < 0.5, -torch.inf, torch.inf)
            parameter.copy_(torch.nextafter(parameter, side))
    other = found(moved, "cpu")
    return {part: difference(exact[part], other[part]) for part in exact}


@contextlib.contextmanager
def reported(report: Report, name: str) -> Iterator[None]:
    """Put what a comparison raises into the record and go on: the others are worth having."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a kernel may fail in any way; the record keeps it, and the phase fails
        report.add(name, error=repr(error), traceback=traceback.format_exc()[-2000:], within=False)


def exact_products() -> None:
    """Keep products of float32 in float32: TF32 has 10 bits, which no 1e-4 survives."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def found(case: Case, device: str) -> dict[str, Tensor]:
    """Return ``forward`` and, where there is one, ``backward``: all gradients end to end; both on the CPU."""
    module = copy.deepcopy(case.module).to(device)
    out = case.run(module, device)
    if case.forward_only:
        return {"forward": out.detach().cpu()}
    loss = out if out.ndim == 0 else out.square().mean()
    wanted = [parameter for parameter in module.parameters() if parameter.requires_grad]
    grads = torch.autograd.grad(loss, wanted, allow_unused=True)
    flat = torch.cat([grad.detach().flatten().cpu() for grad in grads if grad is not None])
    return {"forward": out.detach().cpu(), "backward": flat}


def difference(one: Tensor, other: Tensor) -> float:
    """Return the size of the difference over the size of the first (2-norms); infinite when either is not finite."""
    if not (torch.isfinite(one).all() and torch.isfinite(other).all()):
        return float("inf")
    return float((one.double() - other.double()).norm() / one.double().norm().clamp_min(1e-30))


def cases(plan: Plan) -> dict[str, Case]:
    """Return every network and loss, by name, at size ``tiny``, with weights moved off their zeros."""
    data = load(plan, "tiny", "train")
    made = {**_flow_cases(plan, data), **_head_cases(plan, data), **_alignment_cases(plan, data), **_others(plan, data)}
    for case in made.values():
        stir(case.module)
    return made


def stir(module: nn.Module) -> None:
    """Add noise to all weights: layers that start at zero would hide what is behind them."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))


def _crops(data: TrainingData, n_tokens: int) -> tuple[Tensor, IntArray, Tensor]:
    indices = torch.arange(_BATCH) % len(data)
    starts = data.starts(indices, n_tokens, step_generator(0, "starts"))
    return indices, starts, data.crop_tokens(indices, starts, n_tokens)


def _condition(n_tokens: int) -> Tensor:
    return torch.randn(_BATCH, n_tokens, _WIDTH, generator=step_generator(0, "condition"))


def _new_flow(plan: Plan, *, told_span: bool = False, **more: str) -> Flow:
    settings = settings_of("tiny", plan, **more)
    return seeded(lambda: Flow(settings.flow, settings.signal.mel, _WIDTH, told_span=told_span), 0)


def _flow_cases(plan: Plan, data: TrainingData) -> dict[str, Case]:
    def loss(module: nn.Module, device: str) -> Tensor:
        assert isinstance(module, Flow)
        n = crop_tokens(module)
        tokens = _crops(data, n)[2].to(device)
        return flow_loss(module, tokens, _condition(n).to(device), step_generator(0, "step"))

    def forward(module: nn.Module, device: str) -> Tensor:
        assert isinstance(module, Flow)
        n = crop_tokens(module)
        x, tau = _crops(data, n)[2].to(device), torch.linspace(0.1, 1.0, _BATCH).to(device)
        dropped = (torch.arange(_BATCH) % 2 == 0).to(device)
        out: Tensor = module(x, tau, module.prepare(_condition(n).to(device)), dropped)
        return out

    kinds = [("gvp", "dynamic"), ("gvp_learned", "dynamic"), ("linear", "dynamic"), ("gvp", "static"), ("gvp", "none")]
    losses = {
        f"flow loss, {path}, {kind}": Case(module=_new_flow(plan, path=path, condition=kind), run=loss, mixed=True)
        for path, kind in kinds
    }
    return {"flow network": Case(module=_new_flow(plan), run=forward), **losses}


def _head_cases(plan: Plan, data: TrainingData) -> dict[str, Case]:
    teacher = _new_flow(plan)
    stir(teacher)
    teacher.eval().requires_grad_(False)

    def mean_flow(target: str) -> Callable[[nn.Module, str], Tensor]:
        def run(module: nn.Module, device: str) -> Tensor:
            assert isinstance(module, Flow)
            head = settings_of("tiny", plan, head="imf", imf_target=target).head
            n = crop_tokens(module)
            tokens, condition = _crops(data, n)[2].to(device), _condition(n).to(device)
            guide = copy.deepcopy(teacher).to(device)
            return heads.mean_flow_loss(module, guide, head, tokens, condition, step_generator(0, "step"))

        return run

    def slope(module: nn.Module, device: str) -> Tensor:
        assert isinstance(module, Flow)
        n = crop_tokens(module)
        x, velocity = _crops(data, n)[2].to(device), torch.ones(_BATCH, n, module.mel.token_dim, device=device)
        late, early = torch.linspace(0.4, 1.0, _BATCH).to(device), torch.linspace(0.0, 0.3, _BATCH).to(device)
        return heads._slope(module, x, late, early, module.prepare(_condition(n).to(device)), velocity)

    student = heads.student(teacher, settings_of("tiny", plan, head="imf").head, 0)
    return {
        "imf loss, teacher": Case(module=copy.deepcopy(student), run=mean_flow("teacher"), mixed=True),
        "imf loss, data": Case(module=copy.deepcopy(student), run=mean_flow("data"), mixed=True),
        "imf forward-mode derivative": Case(module=copy.deepcopy(student), run=slope, forward_only=True),
        "reflow loss": Case(module=_new_flow(plan), run=_reflow(plan, data, teacher), mixed=True),
    }


def _reflow(plan: Plan, data: TrainingData, teacher: Flow) -> Callable[[nn.Module, str], Tensor]:
    head = settings_of("tiny", plan, head="reflow", reflow_pairs=_BATCH, reflow_nfe=2).head
    # The pairs are made once, on the CPU, and read by the later calls, so that both devices learn the same.
    context = TrainContext(data=Path("none"), val=None, out=plan.out / "reflow")
    job = Job(context=context, loop=LoopSettings(), options=RunOptions(), data=data, val=data)

    class _Given:
        width = _WIDTH

        def crop(self, indices: Tensor, starts: IntArray, n_tokens: int, device: str) -> Tensor:
            """Return the same condition for every clip of a batch."""
            return _condition(n_tokens)[: len(indices)].to(device)

    def run(module: nn.Module, device: str) -> Tensor:
        assert isinstance(module, Flow)
        pairs = heads.Pairs(job, head, copy.deepcopy(teacher).to(device), _Given())  # type: ignore[arg-type]
        return pairs.loss(module, torch.arange(_BATCH), step_generator(0, "step"), distil=False)

    return run


def _alignment_cases(plan: Plan, data: TrainingData) -> dict[str, Case]:
    def objective(**more: str) -> nn.Module:
        settings = settings_of("tiny", plan, **more)
        return seeded(lambda: objective_of(Alignment(settings.signal, settings.alignment), data), 0)

    def loss(module: nn.Module, device: str) -> Tensor:
        indices = torch.arange(_BATCH) % len(data)
        starts = data.starts(indices, module.crop_tokens, step_generator(0, "starts"))
        draw = Draw(data=data, audio_of=indices, video_of=indices, starts=starts)
        out: Tensor = module(draw, step_generator(0, "step"))["loss"]
        return out

    def case(**more: str) -> Case:
        return Case(module=objective(**more), run=loss, mixed=True)

    return {
        "alignment loss, vama": case(stage1="vama"),
        "alignment loss, vama, audio_mae from mae": case(stage1="vama", audio_target="audio_mae", video_encoder="mae"),
        "alignment loss, infonce": case(stage1="infonce"),
        "alignment loss, cavp": case(stage1="cavp"),
        "alignment loss, onset_sup": case(stage1="onset_sup"),
    }


def _others(plan: Plan, data: TrainingData) -> dict[str, Case]:
    settings, width = settings_of("tiny", plan), 48
    mel, dim = settings.signal.mel, settings.alignment.encoder_dim

    def pretext(module: nn.Module, device: str) -> Tensor:
        out: Tensor = module(data, torch.arange(_BATCH) % len(data), step_generator(0, "step"))
        return out

    def adapter(module: nn.Module, device: str) -> Tensor:
        out: Tensor = module(torch.randn(_BATCH, 12, width, generator=step_generator(0, "features")).to(device))
        return out

    def vocoder(module: nn.Module, device: str) -> Tensor:
        out: Tensor = module(_crops(data, 16)[2].to(device), 16 * mel.frames_per_token * mel.hop)
        return out

    small = {
        f"small encoder loss, {name}": Case(
            module=seeded(lambda make=make: make(data, settings.signal.cells, mel.token_dim, dim), 0), run=pretext,
            mixed=True,
        )
        for name, make in OBJECTIVES.items()
    }  # fmt: skip
    shape = VocosShape(dim=16, hidden=32, blocks=2) if plan.small else VocosShape()
    return {
        "feature adapter": Case(module=seeded(lambda: FeatureAdapter(width, 16), 0), run=adapter),
        "vocoder": Case(module=seeded(lambda: Vocos(mel, shape), 0), run=vocoder),
        **small,
    }
