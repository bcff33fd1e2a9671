"""Sample a diffusion: DDIM, or DPM-Solver++ of second order.

Both take one evaluation a step. Sources: Song, Meng, Ermon 2021 (DDIM, eta 0); Lu et al. 2022 (DPM-Solver++, algorithm
2M), as LuChengTHU/dpm-solver runs it for Stable Diffusion and Diff-Foley: times even, from noise to the first step that
the network was trained on; multistep, first step of first order. Where a caller's times end at 0, the last step is the
estimate of the data, which is where both formulas go as sigma goes to 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from foleybench.errors import FoleyError, UnknownNameError, unknown
from foleymodels._diffusion.process import Denoiser, Process

METHODS = ("dpm", "ddim")


def denoise(
    process: Process,
    denoiser: Denoiser,
    noise: Tensor,
    *,
    nfe: int,
    method: str = "dpm",
    times: Sequence[float] | None = None,
) -> Tensor:
    """Go from noise to data.

    Args:
        process: The process that the network was trained on.
        denoiser: The network; guidance is inside it.
        noise: Starting point, shape (batch, ...).
        nfe: Evaluations of the network (a guided one counts once).
        method: ``dpm`` or ``ddim``.
        times: Ends of the steps, ``nfe + 1`` falling times in [0, 1]; by default evenly from 1 to the
            first step of training.

    Returns:
        Shape of ``noise``.

    Raises:
        FoleyError: ``nfe`` is less than 1, or there is another number of times.
        UnknownNameError: There is no such method.
    """
    if method not in METHODS:
        raise UnknownNameError(unknown("sampler", method, METHODS))
    if nfe < 1:
        raise FoleyError(f"nfe is {nfe}; it must be at least 1.")
    ends = torch.linspace(1.0, 1.0 / process.schedule.n_steps, nfe + 1).tolist() if times is None else list(times)
    if len(ends) != nfe + 1:
        raise FoleyError(f"{len(ends)} times were given for {nfe} steps; give one more than there are steps.")
    return (_dpm if method == "dpm" else _ddim)(process, denoiser, noise, ends)


def _ddim(process: Process, denoiser: Denoiser, x: Tensor, times: list[float]) -> Tensor:
    for now, following in itertools.pairwise(times):
        at = x.new_full((len(x),), now)
        data, noise = process.ends(x, denoiser(x, at), at)
        x = process.mix(data, noise, x.new_full((len(x),), following))
    return x


def _dpm(process: Process, denoiser: Denoiser, x: Tensor, times: list[float]) -> Tensor:
    schedule = process.schedule
    before: Tensor | None = None
    earlier = 0.0
    for now, following in itertools.pairwise(times):
        at = x.new_full((len(x),), now)
        data = process.ends(x, denoiser(x, at), at).data
        if following == 0.0:
            return data
        start, end = (torch.tensor(time, dtype=torch.float64) for time in (now, following))
        step = float(schedule.log_ratio(end) - schedule.log_ratio(start))
        towards = data
        if before is not None:
            slope = step / (2 * earlier)  # 1 / (2 r), with r the length of the last step in units of this one
            towards = (1 + slope) * data - slope * before
        kept = float(schedule.sigma(end) / schedule.sigma(start))
        x = kept * x - float(schedule.alpha(end) * torch.expm1(torch.tensor(-step, dtype=torch.float64))) * towards
        before, earlier = data, step
    return x
