"""Guide a sampler by gradients: a classifier's or a loss's.

Sources: Dhariwal and Nichol 2021, algorithm 2 (classifier); yzxing87/Seeing-and-Hearing@75cdbbc
``pipeline_audioldm.py: bind_forward_double_loss`` (a fresh Adam on the latent after a step).
Samplers run without gradients, and tensors made under ``torch.inference_mode`` can never carry one: a sampler that is
guided runs within ``differentiable``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

Score = Callable[[Tensor], Tensor]


@contextlib.contextmanager
def differentiable() -> Iterator[None]:
    """Record no gradients within, but make tensors that ``gradient`` and ``descend`` can be taken through."""
    with torch.inference_mode(False), torch.no_grad():
        yield


def gradient(score: Score, x: Tensor) -> Tensor:
    """Return the gradient of a score's sum.

    Args:
        score: From points (batch, ...) to one number each, shape (batch,); of tensors that can carry a gradient.
        x: Shape (batch, ...).

    Returns:
        Shape of ``x``.
    """
    with torch.enable_grad():
        at = x.detach().clone().requires_grad_()
        (found,) = torch.autograd.grad(score(at).sum(), at)
    return found


def classifier_guided(noise: Tensor, slope: Tensor, sigma: Tensor, scale: float) -> Tensor:
    """Return an estimate of the noise moved towards what a classifier wants: ``noise - scale * sigma * slope``.

    Args:
        noise: The network's estimate, shape (batch, ...).
        slope: Gradient of the logarithm of the classifier's probability at the point, same shape.
        sigma: Weight of the noise at the point's time, broadcast.
        scale: Strength of the guidance.
    """
    return noise - scale * sigma * slope


def descend(loss: Score, x: Tensor, *, rate: float, steps: int) -> Tensor:
    """Return points after some steps of a fresh Adam on them.

    The first step of a fresh Adam moves every number by about the rate, whatever the size of its gradient.

    Args:
        loss: From points (batch, ...) to one loss each, shape (batch,); points do not share their losses.
        x: Shape (batch, ...).
        rate: Learning rate.
        steps: Number of steps; 0 returns ``x``.
    """
    if steps == 0:
        return x
    with torch.enable_grad():
        moved = x.detach().clone().requires_grad_()
        optimiser = torch.optim.Adam([moved], lr=rate)
        for _ in range(steps):
            (moved.grad,) = torch.autograd.grad(loss(moved).sum(), moved)
            optimiser.step()
    return moved.detach()
