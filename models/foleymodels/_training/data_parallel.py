"""Share a batch among processes, or parts taken in turn.

Each process takes some of its rows, and gradients are averaged. So are those of parts that a process takes
one after the other, which need the memory of one part. Every random number of a step is drawn for the whole
batch in every process, and cut afterwards, so that the number of processes changes a trained model by rounding only.
The averaging is written out and not left to a wrapper of the network, because the losses here call a network several
times a step, and differentiate forwards.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, distributed

from foleybench.errors import FoleyError
from foleybench.runtime import distributed as ranks

Batch = TypeVar("Batch", Tensor, npt.NDArray[np.int64])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Share:
    """The share of every batch that a process takes.

    Attributes:
        rank: Number of the part, from 0.
        of: Number of parts.
        in_turn: How many parts a process takes one after the other, of which this is one.
    """

    rank: int = 0
    of: int = 1
    in_turn: int = 1

    def cut(self, n: int) -> list[Share]:
        """Return this share in ``n`` parts that are taken one after the other.

        Raises:
            FoleyError: ``n`` is below 1.
        """
        if n < 1:
            raise FoleyError(f"micro_batches={n} is out of range: at least 1 part of a batch is wanted.")
        return [Share(rank=self.rank * n + part, of=self.of * n, in_turn=n) for part in range(n)]

    def rows(self, batch: Batch) -> Batch:
        """Return this process's rows of a whole batch.

        Raises:
            FoleyError: The batch cannot be cut into equal parts.
        """
        if self.of == 1:
            return batch
        n, rest = divmod(len(batch), self.of)
        if rest:
            in_turn = f" x {self.in_turn} micro_batches" if self.in_turn > 1 else ""
            raise FoleyError(
                f"a batch of {len(batch)} cannot be shared by {self.of // self.in_turn} processes{in_turn}. "
                "Set the batch size to a multiple."
            )
        return batch[self.rank * n : (self.rank + 1) * n]

    def gathered(self, rows: Tensor) -> Tensor:
        """Return the whole batch from the rows of all processes; averaging gradients afterwards makes them right.

        Raises:
            FoleyError: The rows are taken in turn, so that those of the later parts are not there yet.
        """
        if self.in_turn > 1:
            raise FoleyError(
                f"this stage uses all clips of a batch at once, so micro_batches={self.in_turn} cannot cut "
                "it. Set micro_batches=1 and a smaller batch, or train on several GPUs."
            )
        if self.of == 1:
            return rows
        whole: Tensor = _Gather.apply(rows, self)  # type: ignore[no-untyped-call]
        return whole

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Put the mean over the processes into tensors of one type and device, in place."""
        if self.of == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        flat /= self.of
        for tensor, part in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))


_WHOLE = Share()
_SHARE: contextvars.ContextVar[Share] = contextvars.ContextVar("share")


def share() -> Share:
    """Return the share of this process in the step that is being taken; outside of steps it is everything."""
    return _SHARE.get(_WHOLE)


def present_share() -> Share:
    """Return this process's share in a step that all processes take."""
    return Share(rank=ranks.rank(), of=ranks.world())


@contextlib.contextmanager
def sharing(part: Share) -> Iterator[None]:
    """Take steps with some share."""
    token = _SHARE.set(part)
    try:
        yield
    finally:
        _SHARE.reset(token)


class _Gather(torch.autograd.Function):
    """Every process computes the same loss of the whole, so summed gradients are a multiple of each one's."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, part: Share) -> Tensor:
        ctx.part = part
        parts = [torch.empty_like(rows) for _ in range(part.of)]
        distributed.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.part.rows(gradients[0]) * ctx.part.of, None
