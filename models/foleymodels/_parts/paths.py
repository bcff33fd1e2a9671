"""Define probability paths between data and noise.

One sign convention holds: ``tau`` = 0 is data, ``tau`` = 1 is noise; x = alpha(tau) * data + sigma(tau) * noise.

``linear`` (DCF): alpha = 1 - tau, sigma = tau. ``gvp`` (GDCF, generalised variance preserving): alpha = cos(pi tau /
2), sigma = sin(pi tau / 2).

Matched times are drawn through log(sigma / alpha), from one distribution for all paths, so that two paths differ in
their geometry and not in their noise levels. Velocities are divided by the path's speed, the root mean square of dx /
dtau for data and noise of unit mean square: targets of such data have unit mean square on both paths at every time.
(Mel tokens of SynthFoley 2 have 0.94, their targets 0.97 on ``linear`` and 0.96 on ``gvp``.) Raw times are drawn from
one distribution of ``tau`` instead, as each path comes.

A network that estimates the data is trained on the squared error of that estimate, weighted by the noise level: with
s = alpha / sigma, by 1 + s^2 on ``gvp`` and by (1 + s)^2 / 2 on ``linear``. So matched paths differ by at most a factor
of two in the weight of a noise level, and in the size of x, sqrt(alpha^2 + sigma^2): 1, or down to .71.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import torch
from torch import Tensor

from foleybench.errors import UnknownNameError

_QUARTER = math.pi / 2
_ROOT = math.sqrt(2.0)
_SMALLEST_SIGMA = 0.05


@dataclasses.dataclass(frozen=True, kw_only=True)
class FlowPath:
    """One path.

    Attributes:
        name: ``linear`` or ``gvp``.
        speed: Root mean square of dx / dtau for data and noise of unit mean square: velocities are divided by it.
        alpha: Weight of the data at a time.
        sigma: Weight of the noise at a time.
        target: Target of the network: the velocity over its fixed scale, from (data, noise, tau).
        data_of: The estimate of the data from (x, network output, tau).
        time_of: The time at which log(sigma / alpha) has a value.
    """

    name: str
    speed: float
    alpha: Callable[[Tensor], Tensor]
    sigma: Callable[[Tensor], Tensor]
    target: Callable[[Tensor, Tensor, Tensor], Tensor]
    data_of: Callable[[Tensor, Tensor, Tensor], Tensor]
    time_of: Callable[[Tensor], Tensor]

    def velocity(self, x: Tensor, data: Tensor, tau: Tensor) -> Tensor:
        """Return the velocity over the path's speed that follows from an estimate of the data.

        The noise is the one that explains ``x``. Near the data its weight is almost 0 and is floored before dividing.
        """
        return self.target(data, self.noise_of(x, data, tau), tau)

    def noise_of(self, x: Tensor, data: Tensor, tau: Tensor) -> Tensor:
        """Return the noise that explains ``x`` given the data."""
        return (x - self.alpha(tau) * data) / self.sigma(tau).clamp_min(_SMALLEST_SIGMA)

    def mix(self, data: Tensor, noise: Tensor, tau: Tensor) -> Tensor:
        """Return the point of the path at ``tau``; all arguments broadcast."""
        return self.alpha(tau) * data + self.sigma(tau) * noise


_PATHS = {
    "linear": FlowPath(
        name="linear",
        speed=_ROOT,
        alpha=lambda tau: 1 - tau,
        sigma=lambda tau: tau,
        target=lambda data, noise, tau: (noise - data) / _ROOT,
        data_of=lambda x, output, tau: x - _ROOT * tau * output,
        time_of=torch.sigmoid,
    ),
    "gvp": FlowPath(
        name="gvp",
        speed=_QUARTER,
        alpha=lambda tau: torch.cos(_QUARTER * tau),
        sigma=lambda tau: torch.sin(_QUARTER * tau),
        target=lambda data, noise, tau: torch.cos(_QUARTER * tau) * noise - torch.sin(_QUARTER * tau) * data,
        data_of=lambda x, output, tau: torch.cos(_QUARTER * tau) * x - torch.sin(_QUARTER * tau) * output,
        time_of=lambda log_ratio: torch.atan(torch.exp(log_ratio)) / _QUARTER,
    ),
}


def flow_path(name: str) -> FlowPath:
    """Return a path by name; ``gvp_learned`` is ``gvp`` (its warp only moves the sampling times).

    Raises:
        UnknownNameError: No such path.
    """
    known = {**_PATHS, "gvp_learned": _PATHS["gvp"]}
    if name not in known:
        raise UnknownNameError(f"there is no path {name!r}; paths are {', '.join(known)}.")
    return known[name]


def draw_times(
    chosen: FlowPath,
    n: int,
    generator: torch.Generator,
    *,
    mean: float,
    spread: float,
    pure_noise_p: float,
    raw: bool = False,
) -> Tensor:
    """Draw training times: log(sigma / alpha) is normal; a share is pure noise, which one-step sampling starts from.

    Args:
        chosen: The path.
        n: Number of times.
        generator: Source of randomness.
        mean: Mean of log(sigma / alpha).
        spread: Its standard deviation.
        pure_noise_p: Share of times set to exactly 1.
        raw: Draw log(tau / (1 - tau)) from that distribution, whatever the path makes of it.

    Returns:
        Shape (n,), in (0, 1].
    """
    log_ratio = torch.randn(n, generator=generator) * spread + mean
    pure = torch.rand(n, generator=generator) < pure_noise_p
    return torch.where(pure, torch.ones(n), torch.sigmoid(log_ratio) if raw else chosen.time_of(log_ratio))
