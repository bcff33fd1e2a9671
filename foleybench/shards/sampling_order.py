"""Decide which reader yields which clips in an epoch.

The code here is pure arithmetic on positions; no file is read. The order is a function of (seed, epoch, number of
readers) alone, so the state of a loader is only the number of clips that each reader has yielded. Shards are shuffled,
their clips laid end to end, and this sequence is cut into one run a reader, equal to within one clip, whatever the
sizes of the shards: every clip is in exactly one run. Within its run a clip moves by less than ``window`` places.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from foleybench.clips import IntArray
from foleybench.errors import FoleyError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """The settings that decide the order of an epoch.

    Attributes:
        seed: Seed of the shuffle.
        epoch: Number of the epoch.
        shuffle: Whether to shuffle.
        window: Largest move of a clip within a reader's run, in clips.
    """

    seed: int = 0
    epoch: int = 0
    shuffle: bool = True
    window: int = 512


@dataclasses.dataclass(frozen=True)
class Run:
    """The clips that one reader still has to yield.

    Attributes:
        reading: Positions in the order of the shuffled shards, shape (n,).
        yielding: The same positions in the order in which they are yielded, shape (n,).
    """

    reading: IntArray
    yielding: IntArray


def sequence(starts: IntArray, kept: IntArray, order: Order) -> IntArray:
    """Return the positions to read, shard after shard in shuffled order.

    Args:
        starts: First clip of each shard, and the total: shape (n_shards + 1,).
        kept: Positions that are wanted, increasing, shape (n,).
        order: The order.
    """
    if not order.shuffle:
        return kept
    rng = np.random.default_rng([order.seed, order.epoch])
    shards = np.searchsorted(starts, kept, side="right") - 1
    rank = np.empty(len(starts) - 1, dtype=np.int64)
    rank[rng.permutation(len(rank))] = np.arange(len(rank))
    return kept[np.argsort(rank[shards], kind="stable")]


def runs(reading: IntArray, n_readers: int, order: Order, stage: int = 0) -> list[Run]:
    """Cut a sequence into one run a reader.

    Args:
        reading: The rest of the epoch, in reading order.
        n_readers: Number of readers on all machines together.
        order: The order.
        stage: How often the epoch was resumed with another number of readers.

    Example:
        >>> [run.yielding.tolist() for run in runs(np.arange(5), 2, Order(shuffle=False))]
        [[0, 1], [2, 3, 4]]
    """
    bounds = [len(reading) * reader // n_readers for reader in range(n_readers + 1)]
    parts = [reading[low:high] for low, high in itertools.pairwise(bounds)]
    return [Run(part, _scrambled(part, order, (stage, reader))) for reader, part in enumerate(parts)]


def left_over(before: Sequence[Run], yielded: Sequence[int]) -> IntArray:
    """Return the rest of an epoch in reading order, from the number of clips that each reader has yielded.

    Raises:
        FoleyError: The numbers do not belong to these runs.
    """
    if len(yielded) != len(before) or any(n > len(run.yielding) for run, n in zip(before, yielded, strict=False)):
        raise FoleyError(f"a state of {len(yielded)} readers does not fit an epoch of {len(before)}.")
    return np.concatenate([advanced(run, n).reading for run, n in zip(before, yielded, strict=True)])


def advanced(run: Run, n_yielded: int) -> Run:
    """Return the rest of a run after this many clips."""
    if not n_yielded:
        return run
    yielding = run.yielding[n_yielded:]
    return Run(run.reading[np.isin(run.reading, yielding)], yielding)


def _scrambled(part: IntArray, order: Order, salt: tuple[int, int]) -> IntArray:
    if not order.shuffle or order.window <= 1:
        return part
    rng = np.random.default_rng([order.seed, order.epoch, *salt])
    # A clip comes out after those that are `window` places before it and before those that are as far behind.
    return part[np.argsort(np.arange(len(part)) + rng.uniform(0, order.window, len(part)), kind="stable")]
