"""From noise to data along a path: Euler or Heun steps, with classifier-free guidance inside the velocity.

A step estimates the data at the present point, and from it the noise, and recombines both at the next time. On the
linear path that is Euler's step exactly; on the variance-preserving path it is the rotation that keeps the variance,
where a straight Euler step would leave the circle (one step would return the noise plus pi/2 times the data).
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
        output = velocity(x, x.new_full((len(x),), now))
        if correct and following > 0:
            guess = _move(path, x, output, now, following)
            later = velocity(guess, x.new_full((len(x),), following))
            output = (output + _seen_from(path, guess, later, now, following)) / 2
        x = _move(path, x, output, now, following)
    return x


def _move(path: Path, x: Tensor, output: Tensor, now: float, following: float) -> Tensor:
    """Go to another time with the estimate of the data held; the noise is what explains ``x`` now."""
    data, noise = _ends(path, x, output, now)
    return path.mix(data, noise, x.new_tensor(following))


def _seen_from(path: Path, x: Tensor, output: Tensor, now: float, following: float) -> Tensor:
    """Return what an output at the next time amounts to at the present one: the same data and noise, seen from here."""
    data, noise = _ends(path, x, output, following)
    return path.target(data, noise, x.new_tensor(now))


def _ends(path: Path, x: Tensor, output: Tensor, at: float) -> tuple[Tensor, Tensor]:
    tau = x.new_tensor(at)
    data = path.data_of(x, output, tau)
    return data, (x - path.alpha(tau) * data) / path.sigma(tau)
