"""Convert between what a diffusion network predicts, data and noise.

Source: Ho, Jain, Abbeel 2020 (noise); Salimans and Ho 2022 (v = alpha * noise - sigma * data).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from foleybench.errors import UnknownNameError, unknown
from foleymodels._diffusion.schedule import Schedule, noise_schedule
from foleymodels._training.data_parallel import share

PREDICTIONS = ("noise", "v", "data")
# From x (batch, ...) and times (batch,) to what the process says that a network predicts, shape of x.
Denoiser = Callable[[Tensor, Tensor], Tensor]


class Ends(NamedTuple):
    """The data and the noise that a prediction explains a point by, both of the point's shape."""

    data: Tensor
    noise: Tensor


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Process:
    """A diffusion process.

    Attributes:
        schedule: Its noise schedule.
        predicts: What the network predicts: ``noise``, ``v`` or ``data``.
    """

    schedule: Schedule
    predicts: str

    @classmethod
    def of(cls, schedule: str, predicts: str) -> Process:
        """Return the process of a schedule's name.

        Raises:
            UnknownNameError: There is no such schedule or prediction.
        """
        if predicts not in PREDICTIONS:
            raise UnknownNameError(unknown("prediction", predicts, PREDICTIONS))
        return cls(schedule=noise_schedule(schedule), predicts=predicts)

    def mix(self, data: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Return the point of the forward process at times (batch,); data and noise are (batch, ...)."""
        alpha, sigma = self._weights(data, t)
        return alpha * data + sigma * noise

    def target(self, data: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """Return what the network ought to predict, shape of the data."""
        if self.predicts == "v":
            alpha, sigma = self._weights(data, t)
            return alpha * noise - sigma * data
        return noise if self.predicts == "noise" else data

    def ends(self, x: Tensor, output: Tensor, t: Tensor) -> Ends:
        """Return the data and the noise that an output explains ``x`` by.

        Args:
            x: Points, shape (batch, ...).
            output: Of the network, shape of ``x``.
            t: Times in (0, 1], shape (batch,).
        """
        alpha, sigma = self._weights(x, t)
        if self.predicts == "noise":
            return Ends((x - sigma * output) / alpha, output)
        if self.predicts == "v":
            return Ends(alpha * x - sigma * output, sigma * x + alpha * output)
        return Ends(output, (x - alpha * output) / sigma)

    def loss(self, denoiser: Denoiser, data: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean squared error of a network's prediction at random steps, of a batch or of a share of it.

        Args:
            denoiser: The network.
            data: Shape (batch, ...).
            generator: Source of times and noise, which are drawn for the whole batch.
        """
        part = share()
        n = len(data) * part.of
        t = part.rows(self.schedule.draw(n, generator)).to(data.device)
        noise = part.rows(torch.randn((n, *data.shape[1:]), generator=generator)).to(data.device)
        found = denoiser(self.mix(data, noise, t), t)
        return (found - self.target(data, noise, t)).square().mean()

    def _weights(self, like: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        shape = (-1, *[1] * (like.ndim - 1))
        return self.schedule.alpha(t).reshape(shape), self.schedule.sigma(t).reshape(shape)
