"""From noise to data along a path: Euler or Heun steps, with classifier-free guidance inside the velocity.

A step estimates the data at the present point, and from it the noise, and recombines both at the next time. On the
linear path that is Euler's step exactly; on the variance-preserving path it is the rotation that keeps the variance, where a
straight Euler step would leave the circle (at one step it would return the noise plus pi/2 times the data).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from foleybench.errors import FoleyError
from foleymodels._paths import Path

Velocity = Callable[[Tensor, Tensor], Tensor]


def sample(path: Path, velocity: Velocity, noise: Tensor, *, nfe: int, method: str = "euler") -> Tensor:
    """Integrate from noise to data.

    Args:
        path: The path that the network was trained on.
        velocity: Network output from (x of shape (batch, n, d), tau of shape (batch,)).
        noise: Starting point, shape (batch, n, d).
        nfe: Number of velocity evaluations (a guided one counts once); odd for Heun, whose last step is Euler's.
        method: ``euler`` (one evaluation a step) or ``heun`` (two).

    Returns:
        Shape (batch, n, d).

    Raises:
        FoleyError: ``nfe`` does not suit the method, or the method does not exist.
    """
    if nfe < 1:
        raise FoleyError(f"nfe is {nfe}; it must be at least 1.")
    if method == "euler":
        return _integrate(path, velocity, noise, n_steps=nfe, correct=False)
    if method != "heun":
        raise FoleyError(f"there is no sampler {method!r}; samplers are euler, heun.")
    if nfe % 2 == 0:
        raise FoleyError(f"nfe is {nfe}; Heun needs an odd number (two evaluations a step, one in the last).")
    return _integrate(path, velocity, noise, n_steps=(nfe + 1) // 2, correct=True)


def guided(conditional: Tensor, unconditional: Tensor, scale: float) -> Tensor:
    """Return the guided velocity: ``unconditional + scale * (conditional - unconditional)``."""
    return unconditional + scale * (conditional - unconditional)


def _integrate(path: Path, velocity: Velocity, x: Tensor, *, n_steps: int, correct: bool) -> Tensor:
    times = torch.linspace(1.0, 0.0, n_steps + 1).tolist()
    for now, following in itertools.pairwise(times):
        data = _data_estimate(path, velocity, x, now)
        if correct and following > 0:
            guess = _move(path, x, data, now, following)
            data = (data + _data_estimate(path, velocity, guess, following)) / 2
        x = _move(path, x, data, now, following)
    return x


def _data_estimate(path: Path, velocity: Velocity, x: Tensor, now: float) -> Tensor:
    return path.data_of(x, velocity(x, x.new_full((len(x),), now)), x.new_tensor(now))


def _move(path: Path, x: Tensor, data: Tensor, now: float, following: float) -> Tensor:
    """Go to another time with the data estimate held; the noise is what explains ``x`` now."""
    at_now, at_next = x.new_tensor(now), x.new_tensor(following)
    noise = (x - path.alpha(at_now) * data) / path.sigma(at_now)
    return path.mix(data, noise, at_next)
