"""Pack shards while clips are still being made.

Each shard is written as soon as the last of its clips has ended.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

from foleybench.api.dataset import Item
from foleybench.prepare.destination import Destination
from foleybench.prepare.pack import KnownFailure, ShardGroup, commit, pack
from foleybench.prepare.staging import Staging
from foleybench.prepare.worker_pool import Task

# Writing and hashing leave Python's lock to others, so that workers are not kept waiting for orders meanwhile.
_THREADS = 2
_MAX_WAITING = 4


class PackedSplit(NamedTuple):
    """A split in work."""

    staging: Staging
    groups: Sequence[ShardGroup]


class Packer:
    """Gives out the tasks that are left, group by group, and packs a group when its last task has ended.

    Use as a context: leaving it waits for the packing that is under way.

    Args:
        destination: Where shards go.
        splits: The splits in work.
        known_failure: Tells items that need no task, since they fail for certain.
    """

    def __init__(
        self, destination: Destination, splits: Sequence[PackedSplit], known_failure: KnownFailure = lambda item: None
    ) -> None:
        self._destination = destination
        self._splits = splits
        self._known_failure = known_failure
        self._left: dict[Path, int] = {}
        self._groups: dict[Path, tuple[Staging, ShardGroup]] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="pack")
        self._running: set[Future[None]] = set()

    def __enter__(self) -> Packer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=kind is not None)
        if kind is None:
            self._settle(0)

    def tasks(self) -> Iterator[Task]:
        """Yield what is left to make, in the order asked for; groups with nothing left are packed on the way."""
        for staging, groups in self._splits:
            for group in groups:
                if staging.part_path(group.index).is_file():
                    continue
                folder = staging.clips_folder(group.index)
                folder.mkdir(parents=True, exist_ok=True)
                staged = staging.staged(group.index)
                missing = [item for item in group.items if item.clip_id not in staged and self._needs_work(item)]
                self._groups[folder] = (staging, group)
                self._left[folder] = len(missing)
                yield from (Task(item=item, folder=folder) for item in _in_turn(missing, group.index))
                if not missing:
                    self._submit(folder)

    def _needs_work(self, item: Item) -> bool:
        return item.refused is None and self._known_failure(item) is None

    def ended(self, task: Task) -> None:
        """Take note that a clip is staged, as usable or not."""
        self._left[task.folder] -= 1
        if not self._left[task.folder]:
            self._submit(task.folder)

    def _submit(self, folder: Path) -> None:
        del self._left[folder]
        staging, group = self._groups.pop(folder)
        self._settle(_MAX_WAITING)
        self._running.add(self._threads.submit(self._pack, staging, group))

    def _pack(self, staging: Staging, group: ShardGroup) -> None:
        part = pack(self._destination.out, staging, group, self._known_failure)
        self._destination.store(staging, group, part)
        commit(staging, group, part)
        if part.shard:
            self._destination.clear(part.shard)

    def _settle(self, n_allowed: int) -> None:
        """Wait until at most so many are under way; raise what went wrong in those that ended."""
        while len(self._running) > n_allowed:
            wait(self._running, return_when=FIRST_COMPLETED)
            self._collect()
        self._collect()

    def _collect(self) -> None:
        ended = {future for future in self._running if future.done()}
        self._running -= ended
        for future in ended:
            future.result()


def _in_turn(items: list[Item], seed: int) -> list[Item]:
    """Mix what is fetched, so that videos which were asked for together before are not asked for together again."""
    if any("net" in item.access for item in items):
        random.Random(seed).shuffle(items)
    return items
