"""Time encoders' networks with random weights on the device, and compare them with the CPU."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.gpu.agreement import FLOAT32_LIMIT, difference, exact_products, reported
from benchmarks.gpu.phases import Plan, Report
from benchmarks.gpu.training import synchronise
from foleymodels._training.loop import seeded, step_generator

Made = tuple[nn.Module, tuple[int, ...]]


def encoders(plan: Plan, report: Report) -> None:
    """Run every network that this machine's packages can build: agreement at batch 1, milliseconds at 1 and 32."""
    exact_products()
    for name, make in networks(plan).items():
        try:
            net, shape = make()
        except ImportError as error:
            report.add("left out", encoder=name, why=str(error))
            continue
        with reported(report, name):
            _measure(name, net.eval().requires_grad_(False), shape, plan, report)


def networks(plan: Plan) -> dict[str, Callable[[], Made]]:
    """Return what makes each network and the shape of one input, without its batch."""
    small: dict[str, Callable[[], Made]] = {"mini_class": _mini_class, "panns_16k, narrow": lambda: _panns((8, 16))}
    if plan.small:
        return small
    return {
        **small,
        "panns_16k": lambda: _panns(None),
        "vggish": _vggish,
        "clap_laion": _clap,
        "synchformer_audio": _synchformer_audio,
        "synchformer_video": _synchformer_video,
        "passt": _passt,
        "audiomae": _audiomae,
    }


@torch.inference_mode()
def _measure(name: str, net: nn.Module, shape: tuple[int, ...], plan: Plan, report: Report) -> None:
    given = 0.1 * torch.randn((1, *shape), generator=step_generator(0, name))
    on_device = copy.deepcopy(net).to(plan.device)
    off = difference(_flat(net(given)), _flat(on_device(given.to(plan.device))))
    report.add("agreement", encoder=name, forward=off, limit=FLOAT32_LIMIT, within=off <= FLOAT32_LIMIT)
    kind = torch.device(plan.device).type
    for batch in (1, 2) if plan.small else (1, 32):
        wide = given.expand(batch, *shape).contiguous().to(plan.device)
        for precision in ("float32",) if plan.small else ("float32", "bfloat16"):
            with torch.autocast(kind, torch.bfloat16, enabled=precision == "bfloat16"):
                ms = _median_ms(on_device, wide, plan)
            report.add("speed", encoder=name, batch=batch, precision=precision, ms_per_clip=round(ms / batch, 4))


def _median_ms(net: nn.Module, given: Tensor, plan: Plan) -> float:
    taken = []
    for turn in range(2 if plan.small else 8):
        started = time.perf_counter()
        net(given)
        synchronise(plan.device)
        if turn:
            taken.append(time.perf_counter() - started)
    return 1e3 * float(np.median(taken))


def _flat(found: Tensor | tuple[Tensor, ...]) -> Tensor:
    parts = (found,) if isinstance(found, Tensor) else found
    return torch.cat([part.detach().float().flatten().cpu() for part in parts])


def _mini_class() -> Made:
    from foleybench.encoders._nets.mini_nets import ClassNet

    return seeded(lambda: ClassNet(27, 7), 0), (64, 401)


def _panns(widths: tuple[int, ...] | None) -> Made:
    from foleybench.encoders._nets import cnn14
    from foleybench.encoders.panns_16k import GRID

    return cnn14.new_net(GRID, widths or cnn14.WIDTHS), (4 * GRID.rate_hz,)


def _vggish() -> Made:
    from foleybench.encoders._nets import vggish

    return vggish.new_net(), (96, 64)


def _clap() -> Made:
    from foleybench.encoders._nets import htsat

    return htsat.new_net(), (480_000,)


def _synchformer_audio() -> Made:
    from foleybench.encoders._nets.synchformer import new_net

    return new_net().afeat_extractor, (128, 66)


def _synchformer_video() -> Made:
    from foleybench.encoders._nets.synchformer import new_net

    return new_net().vfeat_extractor, (3, 16, 224, 224)


def _passt() -> Made:
    from foleybench.encoders._nets import passt

    return passt.new_net(), (1, 128, 998)


def _audiomae() -> Made:
    from foleybench.encoders.audiomae import new_net

    return new_net(), (1, 1024, 128)
