"""Sample from noise to data along a path: Euler or Heun.

Classifier-free guidance is inside the velocity. A step estimates the data at the present point, and from it the noise,
and recombines both at the next time. On the linear path that is Euler's step exactly; on the variance-preserving path
it is the rotation that keeps the variance, where a straight Euler step would leave the circle (one step would return
the noise plus pi/2 times the data).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from foleybench.errors import FoleyError
from foleymodels._parts.paths import FlowPath

Velocity = Callable[[Tensor, Tensor, Tensor], Tensor]


class FlowStep(NamedTuple):
    """A step that was just taken.

    Attributes:
        number: Its number, from 0.
        now: Flow time that it began at.
        noise: Estimate of the noise that it was taken with, shape (batch, n, d).
        data: Estimate of the data, alike.
    """

    number: int
    now: float
    noise: Tensor
    data: Tensor


# From the point after a step and that step to the point to go on from.
AfterStep = Callable[[Tensor, FlowStep], Tensor]


def even_times(n_steps: int) -> list[float]:
    """Return ``n_steps + 1`` times from noise to data, equally far apart."""
    return torch.linspace(1.0, 0.0, n_steps + 1).tolist()


def matched_times(path: FlowPath, n_steps: int) -> list[float]:
    """Return ``n_steps + 1`` times from noise to data at noise levels that are the same for every path.

    They are those of the variance-preserving path at equally distant times: log(sigma / alpha) = log tan(pi u / 2) for
    u from 1 to 0.
    """
    inner = torch.linspace(1.0, 0.0, n_steps + 1, dtype=torch.float64)[1:-1]
    return [1.0, *path.time_of(torch.log(torch.tan(inner * (math.pi / 2)))).tolist(), 0.0]


def sample(
    path: FlowPath,
    velocity: Velocity,
    noise: Tensor,
    *,
    nfe: int,
    method: str = "euler",
    times: Callable[[int], list[float]] = even_times,
    after_step: AfterStep | None = None,
) -> Tensor:
    """Integrate from noise to data.

    Args:
        path: The path that the network was trained on.
        velocity: Network output from (x of shape (batch, n, d), tau of shape (batch,), the time to go to, (batch,)).
        noise: Starting point, shape (batch, n, d).
        nfe: Number of velocity evaluations (a guided one counts once).
        method: ``euler`` (one evaluation a step), or ``heun`` (two; the last step is Euler's, the last two when ``nfe``
            is even).
        times: From a number of steps to the times of their ends, 1 first and 0 last.
        after_step: Changes the point after every step, the last one too.

    Returns:
        Shape (batch, n, d).

    Raises:
        FoleyError: ``nfe`` is less than 1, or the method does not exist.
    """
    if nfe < 1:
        raise FoleyError(f"nfe is {nfe}; it must be at least 1.")
    if method not in ("euler", "heun"):
        raise FoleyError(f"there is no sampler {method!r}; samplers are euler, heun.")
    n_corrected = 0 if method == "euler" else max(0, (nfe - 1) // 2)
    return _integrate(path, velocity, noise, times(nfe - n_corrected), n_corrected, after_step)


def guided(conditional: Tensor, unconditional: Tensor, scale: float) -> Tensor:
    """Return the guided velocity: ``unconditional + scale * (conditional - unconditional)``."""
    return unconditional + scale * (conditional - unconditional)


def _integrate(
    path: FlowPath,
    velocity: Velocity,
    x: Tensor,
    times: list[float],
    n_corrected: int,
    after_step: AfterStep | None,
) -> Tensor:
    for index, (now, following) in enumerate(itertools.pairwise(times)):
        output = velocity(x, x.new_full((len(x),), now), x.new_full((len(x),), following))
        if index < n_corrected:
            guess = _move(path, x, output, now, following)
            at_end = x.new_full((len(x),), following)
            later = velocity(guess, at_end, at_end)
            output = (output + _seen_from(path, guess, later, now, following)) / 2
        start, x = x, _move(path, x, output, now, following)
        if after_step is not None:
            data, noise = _ends(path, start, output, now)
            x = after_step(x, FlowStep(index, now, noise, data))
    return x


def _move(path: FlowPath, x: Tensor, output: Tensor, now: float, following: float) -> Tensor:
    """Go to another time with the same estimate of the data and the noise that explains ``x`` now."""
    data, noise = _ends(path, x, output, now)
    return path.mix(data, noise, x.new_tensor(following))


def _seen_from(path: FlowPath, x: Tensor, output: Tensor, now: float, following: float) -> Tensor:
    """Convert an output at the next time to the present time, for the same data and noise."""
    data, noise = _ends(path, x, output, following)
    return path.target(data, noise, x.new_tensor(now))


def _ends(path: FlowPath, x: Tensor, output: Tensor, at: float) -> tuple[Tensor, Tensor]:
    tau = x.new_tensor(at)
    data = path.data_of(x, output, tau)
    return data, (x - path.alpha(tau) * data) / path.sigma(tau)
