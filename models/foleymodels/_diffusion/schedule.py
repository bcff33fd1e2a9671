"""Define noise schedules of diffusion on a continuous time.

Time 0 is data, time 1 is noise: x = alpha(t) * data + sigma(t) * noise with alpha^2 + sigma^2 = 1. Between the steps
that a network is trained on, log(alpha) is linear in time, as in the reference of DPM-Solver (LuChengTHU/dpm-solver,
``NoiseScheduleVP('discrete')``); before the first step it runs to 0.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import torch
from torch import Tensor

from foleybench.errors import UnknownNameError, unknown

N_STEPS = 1000
SCHEDULES = ("scaled_linear", "cosine")
_FIRST_BETA, _LAST_BETA = 0.00085, 0.012
_OFFSET = 0.008
_LARGEST_BETA = 0.999


@dataclasses.dataclass(frozen=True, eq=False)
class Schedule:
    """A noise schedule.

    Attributes:
        log_alphas: log(alpha) at times 0, 1 / n, ... 1, shape (n + 1,) float64; the first is 0.
    """

    log_alphas: Tensor

    @property
    def n_steps(self) -> int:
        """Number of steps that a network is trained on."""
        return len(self.log_alphas) - 1

    def alpha(self, t: Tensor) -> Tensor:
        """Return the weight of the data at times in [0, 1], in their shape and type."""
        return self._log_alpha(t).exp().to(t.dtype)

    def sigma(self, t: Tensor) -> Tensor:
        """Return the weight of the noise at times in [0, 1], in their shape and type."""
        return (-torch.expm1(2 * self._log_alpha(t))).sqrt().to(t.dtype)

    def log_ratio(self, t: Tensor) -> Tensor:
        """Return log(alpha / sigma) at times in [0, 1], in their shape and type; infinite at 0."""
        log_alpha = self._log_alpha(t)
        return (log_alpha - 0.5 * torch.log(-torch.expm1(2 * log_alpha))).to(t.dtype)

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw the times of ``n`` training steps evenly, shape (n,), each one of 1 / n_steps, 2 / n_steps, ... 1."""
        return torch.randint(1, self.n_steps + 1, (n,), generator=generator).float() / self.n_steps

    def _log_alpha(self, t: Tensor) -> Tensor:
        known = self.log_alphas.to(t.device)
        at = t.double().clamp(0.0, 1.0) * self.n_steps
        left = at.floor().long().clamp(max=self.n_steps - 1)
        return torch.lerp(known[left], known[left + 1], at - left)


@functools.lru_cache(maxsize=8)
def noise_schedule(name: str, n_steps: int = N_STEPS) -> Schedule:
    """Return a schedule by name.

    Args:
        name: ``scaled_linear``: the square root of beta runs linearly from that of .00085 to that of .012 (Stable
            Diffusion, Diff-Foley); ``cosine``: alpha is about cos(pi t / 2) (Nichol and Dhariwal 2021, Eq. 17).
        n_steps: Number of steps that a network is trained on.

    Raises:
        UnknownNameError: There is no such schedule.
    """
    if name not in SCHEDULES:
        raise UnknownNameError(unknown("schedule", name, SCHEDULES))
    with torch.inference_mode(False), torch.device("cpu"):  # kept, and used in training as well, on any device
        betas = _scaled_linear(n_steps) if name == "scaled_linear" else _cosine(n_steps)
        log_alphas = 0.5 * torch.log1p(-betas).cumsum(0)
        return Schedule(torch.cat([torch.zeros(1, dtype=torch.float64), log_alphas]))


def _scaled_linear(n_steps: int) -> Tensor:
    ends = math.sqrt(_FIRST_BETA), math.sqrt(_LAST_BETA)
    return torch.linspace(*ends, n_steps, dtype=torch.float64).square()


def _cosine(n_steps: int) -> Tensor:
    t = torch.linspace(0.0, 1.0, n_steps + 1, dtype=torch.float64)
    kept = torch.cos((t + _OFFSET) / (1 + _OFFSET) * math.pi / 2).square()
    return (1 - kept[1:] / kept[:-1]).clamp(max=_LARGEST_BETA)
