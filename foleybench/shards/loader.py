"""Load shards for training: shuffled, in parallel, resumable.

Worker processes on several machines yield each clip exactly once, and an epoch can be resumed in its middle.

Example:
    loader = ClipLoader(ShardStream("shards/vggsound/train.manifest.jsonl"), batch_size=8, num_workers=4)
    for epoch in range(10):
        for batch in loader:      # a list of clips, each once per epoch over all ranks and workers
            ...
            checkpoint = {"loader": loader.state_dict(), ...}
    loader.load_state_dict(checkpoint["loader"])    # goes on with the clip after the last yielded batch

Every rank keeps its own state. ``join_states`` makes one of all of them, with which an epoch goes on with any other
number of ranks and workers.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from foleybench.clips import IntArray
from foleybench.errors import FoleyError
from foleybench.runtime.with_parent import watch_parent
from foleybench.shards.dataset import decode_sample
from foleybench.shards.feature_files import decode_features
from foleybench.shards.sampling_order import Order, Run, advanced, left_over, runs, sequence
from foleybench.shards.stream import KEY, RawSample, ShardStream

Decode = Callable[[RawSample], Any]
Collate = Callable[[list[Any]], Any]


def decode_clip(sample: RawSample) -> dict[str, Any]:
    """Decode a sample to ``{"clip": Clip, "<encoder>": {layer: array}, ...}``."""
    return {"clip": decode_sample(sample[KEY], sample), **decode_features(sample)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Stage:
    """A part of an epoch between two changes of the number of readers.

    Attributes:
        n_workers: Worker processes a rank.
        yielded: Clips that each reader has yielded, by reader; those of other ranks are 0 unless states were joined.
    """

    n_workers: int
    yielded: list[int]


class ClipLoader:
    """Batches of clips.

    Attributes:
        stream: The clips.
        order: Seed, shuffle and number of the epoch that is under way.

    Example:
        >>> from foleybench import ShardStream
        >>> loader = ClipLoader(ShardStream(manifest), batch_size=4, shuffle=False)
        >>> [[sample["clip"].clip_id for sample in batch] for batch in loader][1]
        ['clip04_000000', 'clip05_000000']
    """

    def __init__(
        self,
        stream: ShardStream,
        *,
        batch_size: int,
        num_workers: int = 0,
        seed: int = 0,
        shuffle: bool = True,
        window: int = 512,
        rank: int | None = None,
        world: int | None = None,
        equal: bool = False,
        decode: Decode = decode_clip,
        collate: Collate = list,
    ) -> None:
        """Set the loader up; nothing is read yet.

        Args:
            stream: The clips.
            batch_size: Clips a batch; the last batch of each worker may hold fewer.
            num_workers: Worker processes; 0 reads in this process.
            seed: Seed of the shuffle; the same on all ranks.
            shuffle: Whether to shuffle.
            window: Largest move of a clip within a reader's run, in clips.
            rank: Number of this process among ``world``; default: ``RANK``, as torchrun sets it, or 0.
            world: Number of processes; default: ``WORLD_SIZE`` or 1.
            equal: Leave out the last few clips of an epoch (others each time), fewer than there are workers on all
                ranks, so that all ranks get the same number of batches.
            decode: From a raw sample (``__key__`` and bytes by field) to an example; runs in the workers.
            collate: From the examples of a batch to a batch; runs in the workers.

        Raises:
            FoleyError: ``rank`` is not one of ``world``, or ``batch_size`` or ``num_workers`` is too small.
        """
        if batch_size < 1 or num_workers < 0:
            raise FoleyError(f"batch_size {batch_size} must be at least 1, and num_workers {num_workers} at least 0.")
        self.stream = stream
        self.order = Order(seed=seed, shuffle=shuffle, window=window)
        self._batch_size, self._n_workers, self._equal = batch_size, num_workers, equal
        self._rank = int(os.environ.get("RANK", "0")) if rank is None else rank
        self._world = int(os.environ.get("WORLD_SIZE", "1")) if world is None else world
        if not 0 <= self._rank < self._world:
            raise FoleyError(f"rank {self._rank} is not one of {self._world} (0 to {self._world - 1}).")
        self._decode, self._collate = decode, collate
        self._stages = [self._fresh()]

    @property
    def _readers(self) -> int:
        return max(1, self._n_workers)

    def _fresh(self) -> _Stage:
        return _Stage(n_workers=self._readers, yielded=[0] * (self._world * self._readers))

    def __len__(self) -> int:
        """Return the number of batches that are left of the epoch for this rank: each worker's last may be smaller."""
        first = self._rank * self._readers
        return sum(-(-len(run.yielding) // self._batch_size) for run in self._runs()[first : first + self._readers])

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches that are left of the epoch; afterwards the next epoch is under way.

        Raises:
            FoleyError: With ``equal``, there are fewer clips than readers, so no rank would get a clip.
        """
        self._require_enough()
        first = self._rank * self._readers
        left = self._runs()[first : first + self._readers]
        progress = self._stages[-1].yielded
        dataset = _Reader(self.stream, left, self._decode)
        batches = DataLoader(
            dataset,
            batch_size=self._batch_size,
            num_workers=self._n_workers,
            collate_fn=_Numbered(self._collate),
            worker_init_fn=functools.partial(_begin_reader, os.getpid()) if self._n_workers else None,
            # The order is ours; this generator only keeps DataLoader from drawing from torch's global one.
            generator=torch.Generator().manual_seed(self.order.seed),
        )
        for reader, n_clips, batch in batches:
            progress[first + reader] += n_clips
            yield batch
        self.order = dataclasses.replace(self.order, epoch=self.order.epoch + 1)
        self._stages = [self._fresh()]

    def _require_enough(self) -> None:
        n_readers = self._world * self._readers
        if self._equal and len(self.stream) < n_readers:
            raise FoleyError(
                f"{len(self.stream)} clips cannot be shared equally by {n_readers} readers ({self._world} ranks of "
                f"{self._readers}): no epoch would have a clip. Take fewer ranks or workers, or equal=False."
            )

    def state_dict(self) -> dict[str, Any]:
        """Return this rank's position in the epoch; JSON values only."""
        return {
            "manifest_sha256": self.stream.index.sha256,
            "n_clips": len(self.stream),
            "equal": self._equal,
            "order": dataclasses.asdict(self.order),
            "rank": self._rank,
            "stages": [dataclasses.asdict(stage) for stage in self._stages],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state: of this rank, or joined from all ranks.

        Raises:
            FoleyError: The state is of other clips, another shuffle, or of one rank among another number of readers.
        """
        ours = self.state_dict()
        for key in ("manifest_sha256", "n_clips", "equal"):
            if state[key] != ours[key]:
                raise FoleyError(f"the loader's state has {key} {state[key]}, this loader has {ours[key]}.")
        order = Order(**state["order"])
        if dataclasses.replace(order, epoch=self.order.epoch) != self.order:
            raise FoleyError(f"the loader's state was shuffled by {order}, this loader shuffles by {self.order}.")
        stages = [_Stage(n_workers=stage["n_workers"], yielded=list(stage["yielded"])) for stage in state["stages"]]
        fits = (stages[-1].n_workers, len(stages[-1].yielded)) == (self._readers, self._world * self._readers)
        if state["rank"] is not None and not (fits and state["rank"] == self._rank):
            raise FoleyError(
                f"a state of rank {state['rank']} with {stages[-1].n_workers} workers was loaded by rank {self._rank} "
                f"of {self._world} with {self._readers}. Use join_states on the states of all ranks."
            )
        self.order = order
        self._stages = stages if fits else [*stages, self._fresh()]

    def _runs(self) -> list[Run]:
        """Return what is left for each reader of all ranks."""
        reading = self._cut(sequence(self.stream.index.starts, self.stream.kept, self.order), self._stages[0])
        for number, (stage, following) in enumerate(itertools.pairwise(self._stages)):
            before = runs(reading, len(stage.yielded), self.order, number)
            reading = self._cut(left_over(before, stage.yielded), following)
        yielded = self._stages[-1].yielded
        found = runs(reading, len(yielded), self.order, len(self._stages) - 1)
        return [advanced(run, n) for run, n in zip(found, yielded, strict=True)]

    def _cut(self, reading: IntArray, stage: _Stage) -> IntArray:
        n_readers = len(stage.yielded)
        return reading[: len(reading) // n_readers * n_readers] if self._equal else reading


def join_states(states: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Make one state of the states of all ranks, taken after the same step.

    Raises:
        FoleyError: The states are not those of all ranks of one epoch.
    """
    ranks = [state["rank"] for state in states]
    last = [state["stages"][-1] for state in states]
    whole = len(states) * last[0]["n_workers"] == len(last[0]["yielded"])
    if sorted(ranks) != list(range(len(states))) or not whole or len({str(s["order"]) for s in states}) != 1:
        raise FoleyError(f"states of the ranks {ranks} do not make a whole; give one of each rank, of the same epoch.")
    yielded = [sum(column) for column in zip(*(stage["yielded"] for stage in last), strict=True)]
    return {**states[0], "rank": None, "stages": [*states[0]["stages"][:-1], {**last[0], "yielded": yielded}]}


class _Reader(IterableDataset[Any]):
    """The data of a worker process: its run, decoded."""

    def __init__(self, stream: ShardStream, left: Sequence[Run], decode: Decode) -> None:
        self._stream, self._left, self._decode = stream, left, decode

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        worker = get_worker_info()
        reader = worker.id if worker else 0
        for sample in self._stream.read(self._left[reader]):
            yield reader, self._decode(sample)


def _begin_reader(parent: int, index: int) -> None:
    """Set up a reading process; the thread that started it may end before it does."""
    watch_parent(parent)


class _Numbered:
    """Collates a batch, with the number of its reader and of its clips."""

    def __init__(self, collate: Collate) -> None:
        self._collate = collate

    def __call__(self, examples: list[tuple[int, Any]]) -> tuple[int, int, Any]:
        return examples[0][0], len(examples), self._collate([example for _, example in examples])
