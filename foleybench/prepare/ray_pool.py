"""Make clips on a Ray cluster.

Workers, time limits and bytes are the same as on one machine. A Ray task is a batch of clips. On its node it runs the
local pool with one worker, in a scratch folder, and sends back the files that were staged there; this machine stages
them. So nodes need no common disk, only what ``make`` reads: the network, or the folder of sources at the same path.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import tempfile
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from foleybench.api.dataset import Item
from foleybench.errors import FoleyError
from foleybench.prepare.staging import ItemOutcome, stage_files, stage_outcome
from foleybench.prepare.tool_versions import tool_versions
from foleybench.prepare.worker_pool import PoolSettings, Task, run_tasks
from foleybench.runtime.ray_map import Done, connected, ray_map

# Starting a worker costs about half a second; a batch shares one. A node that dies loses at most its batches.
BATCH = 16


class Batch(NamedTuple):
    """A batch of clips as it is sent to a node.

    Attributes:
        settings: How its worker runs.
        tools: Versions of the libraries that decide the bytes, on this machine.
        items: The clips.
    """

    settings: PoolSettings
    tools: dict[str, str]
    items: tuple[Item, ...]


class Made(NamedTuple):
    """The result of one clip: its status, and the content of its staged files by name."""

    status: str
    files: dict[str, bytes]


def make_batch(batch: Batch) -> list[Made]:
    """Make clips on a node.

    Returns:
        The result of each clip, in the order of the batch.

    Raises:
        FoleyError: This node has other versions of the libraries that decide the bytes.
    """
    if tool_versions() != batch.tools:
        raise FoleyError(
            f"a node of the cluster has {tool_versions()}, this machine {batch.tools}: shards could differ. "
            "Install the same versions everywhere."
        )
    with tempfile.TemporaryDirectory(prefix="foleybench-") as scratch:
        # A folder each: two splits may have a clip of the same id.
        tasks = [Task(item=item, folder=Path(scratch, str(place))) for place, item in enumerate(batch.items)]
        for task in tasks:
            task.folder.mkdir()
        with contextlib.closing(run_tasks(batch.settings, tasks)) as ended:
            statuses = {task.folder: status for task, status in ended}
        return [Made(statuses[task.folder], _files(task.folder)) for task in tasks]


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def run_on_ray(settings: PoolSettings, tasks: Iterable[Task], address: str | None) -> Generator[tuple[Task, str]]:
    """Make every item on a cluster; yield each task with its status as it ends, in no fixed order.

    A batch whose node dies is made again elsewhere. A batch that loses three workers is made clip by clip; a clip that
    loses three is ``crashed``.

    Args:
        settings: How the workers run; ``jobs`` is the most batches at a time, 0 for all that the cluster has
            processors for.
        tasks: What to make.
        address: The cluster, as for ``ray.init``.

    Raises:
        FoleyError: There is no cluster, its nodes have other versions, or workers cannot start.
    """
    with connected(address):
        singles: list[Task] = []
        yield from _run(settings, _batches(tasks), singles)
        yield from _run(settings, ([task] for task in singles), [])


def _batches(tasks: Iterable[Task]) -> Iterator[list[Task]]:
    waiting = iter(tasks)
    while batch := list(itertools.islice(waiting, BATCH)):
        yield batch


def _run(settings: PoolSettings, batches: Iterable[list[Task]], singles: list[Task]) -> Generator[tuple[Task, str]]:
    """Make batches; put the clips of lost ones into ``singles``, or note a lost single as crashed."""
    alone = dataclasses.replace(settings, jobs=1)
    tools = tool_versions()
    pending: dict[tuple[str, ...], list[Task]] = {}

    def orders() -> Iterator[Batch]:
        for batch in batches:
            order = Batch(alone, tools, tuple(task.item for task in batch))
            pending[_name(order)] = batch
            yield order

    with contextlib.closing(ray_map(make_batch, orders(), at_once=settings.jobs or None)) as landed:
        for done in landed:
            batch = pending.pop(_name(done.task))
            if done.result is None and len(batch) > 1:
                singles += batch
            else:
                yield from _settle(done, batch)


def _name(order: Batch) -> tuple[str, ...]:
    first = order.items[0]
    return (first.split, first.clip_id)


def _settle(done: Done[Batch, list[Made]], batch: list[Task]) -> Iterator[tuple[Task, str]]:
    """Stage the files that a node sent back."""
    if done.result is None:
        for task in batch:
            outcome = ItemOutcome(status="crashed", reason=f"every worker that tried the clip died: {done.lost}")
            stage_outcome(task.folder, task.item.clip_id, outcome)
            yield task, outcome.status
        return
    for task, made in zip(batch, done.result, strict=True):
        stage_files(task.folder, made.files)
        yield task, made.status
