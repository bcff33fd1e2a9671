"""Plan a preparation, make what is missing, pack what is whole."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from foleybench.api.dataset import Dataset, Item
from foleybench.clip_ids import MAX_ID_BYTES, is_safe
from foleybench.errors import FoleyError, UnknownNameError, unknown
from foleybench.prepare.destination import Destination, RemoteDestination
from foleybench.prepare.duplicate_flags import write_between
from foleybench.prepare.load_dataset import load_dataset
from foleybench.prepare.pack import (
    Again,
    ShardGroup,
    any_again,
    clips_per_shard,
    drop_again,
    read_part,
    reopen,
    shard_groups,
)
from foleybench.prepare.pack_queue import PackedSplit, Packer
from foleybench.prepare.retry_policy import RetryWatch, announce
from foleybench.prepare.split_record import LOCK, any_left, find_finished, finish, forget_split, take_apart
from foleybench.prepare.staging import Staging, items_sha256, refuse_change
from foleybench.prepare.tool_versions import tool_versions
from foleybench.prepare.worker_pool import PoolSettings, Task, run_tasks
from foleybench.runtime.lock import locked
from foleybench.runtime.progress import Progress
from foleybench.shards.dataset import shard_name, shard_names
from foleybench.shards.manifest import Header, manifest_path

# What runs the tasks, with the number of workers when none is asked for (0: all that the cluster has).
DEFAULT_JOBS = {"local": 1, "ray": 0}
Engine = Callable[[Iterable[Task]], Generator[tuple[Task, str]]]

_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,90}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SplitPlan:
    """The clips asked for in one split, and which of them are finished.

    Attributes:
        header: The manifest's first line.
        items: What is asked for, in order.
        groups: The items, grouped by shard.
        staging: Folder where finished clips wait.
        complete: Whether the split is already finished, with the same fingerprint.
        n_staged: How many clips are finished while the split is not.
    """

    header: Header
    items: tuple[Item, ...]
    groups: list[ShardGroup]
    staging: Staging
    complete: bool
    n_staged: int

    @property
    def split(self) -> str:
        """Name of the split."""
        return self.header.split

    @property
    def wanted(self) -> list[Item]:
        """The items to prepare: all that are not refused by their name or list entry."""
        return _wanted(self.items)

    @property
    def left(self) -> list[Item]:
        """The items that are not made yet."""
        return [] if self.complete else [item for group in self.groups for item in _left(self.staging, group)]


def parse_options(dataset_name: str, arguments: Sequence[str] = ()) -> argparse.Namespace:
    """Return a data set's options as ``foleybench prepare <name> ...`` would, for use from Python.

    Raises:
        SystemExit: The arguments are wrong.
    """
    parser = argparse.ArgumentParser(prog=f"foleybench prepare {dataset_name}")
    load_dataset(dataset_name).add_arguments(parser)
    return parser.parse_args(list(arguments))


def plan(
    dataset_name: str,
    options: argparse.Namespace,
    out: Path,
    *,
    limit: int | None = None,
    force: bool = False,
    url: str | None = None,
    pull: bool = False,
) -> list[SplitPlan]:
    """List what would be made; reads and writes no media.

    Args:
        dataset_name: A name, or ``path/to/file.py:NAME``.
        options: The data set's options, from ``parse_options`` or the command line.
        out: Folder of shards and manifests.
        limit: Only the first so many items of each split.
        force: Whether existing shards may be deleted.
        url: Where the shards are, when they are not in ``out``.
        pull: Fetch the records that another machine uploaded, for splits that ``out`` does not know.

    Raises:
        FoleyError: No clip is asked for, an id is unsafe or given twice, or ``out`` holds shards with another
            fingerprint (and not ``force``).
    """
    dataset = load_dataset(dataset_name)
    destination = _destination(out, url)
    splits: dict[str, list[Item]] = {}
    for item in dataset.items(options):
        splits.setdefault(item.split, []).append(item)
    if not splits:
        raise FoleyError(f"{dataset_name} lists no clips with these options; nothing to prepare.")
    name = getattr(options, "dataset_name", "") or dataset_name.rpartition("/")[2].partition(".py:")[0]
    profile = dataset.fingerprint(options)
    plans = []
    for split, listed in splits.items():
        items = tuple(listed[:limit])
        _check_names(split, items)
        header = Header(
            dataset=name,
            split=split,
            version=dataset.version,
            profile={**profile, **dataset.split_facts(options, split)},
            tools=tool_versions(),
        )
        fingerprint = {
            **header.as_schema_1(),
            "n_items": len(items),
            "items_sha256": items_sha256(items),
            "n_per_shard": clips_per_shard(profile.get("clip_s") or 10.0),
        }
        if pull:
            destination.pull(split)
        plans.append(_split_plan(destination, header, items, fingerprint, force))
    return plans


def _destination(out: Path, url: str | None) -> Destination:
    return RemoteDestination(out, url) if url else Destination(out)


def _split_plan(
    destination: Destination, header: Header, items: tuple[Item, ...], fingerprint: dict[str, Any], force: bool
) -> SplitPlan:
    out = destination.out
    staging = Staging(out, header.split, fingerprint)
    split = SplitPlan(
        header=header,
        items=items,
        groups=shard_groups(items, fingerprint["n_per_shard"]),
        staging=staging,
        complete=False,
        n_staged=0,
    )
    if force:
        return split
    manifest = manifest_path(out, header.split)
    finished = find_finished(out, header.split, destination.sizes())
    if finished is None:
        if manifest.is_file() and not staging.folder.is_dir() and shard_names(out, header.split):
            # (A manifest without shards is what a checkout of a repository holds: its shards are about to be made.)
            raise FoleyError(f"{manifest} was not made here, or was changed. Use --force, or another --out.")
        staging.check()
        return dataclasses.replace(split, n_staged=sum(_n_finished(staging, group) for group in split.groups))
    refuse_change(manifest, finished.fingerprint, fingerprint)
    whole = [group for group in split.groups if shard_name(split.split, group.index) not in finished.lost]
    n_staged = 0 if not finished.lost else sum(len(_wanted(group.items)) for group in whole)
    return dataclasses.replace(split, complete=not finished.lost, n_staged=n_staged)


def _wanted(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if item.refused is None]


def _left(staging: Staging, group: ShardGroup) -> list[Item]:
    if staging.part_path(group.index).is_file():
        return []
    staged = staging.staged(group.index)
    return [item for item in _wanted(group.items) if item.clip_id not in staged]


def _n_finished(staging: Staging, group: ShardGroup) -> int:
    wanted = _wanted(group.items)
    if staging.part_path(group.index).is_file():
        return len(wanted)
    staged = staging.staged(group.index)
    return sum(item.clip_id in staged for item in wanted)


def prepare(
    dataset_name: str,
    options: argparse.Namespace,
    out: Path,
    *,
    jobs: int | None = None,
    engine: str = "local",
    ray_address: str | None = None,
    time_limit_s: float = 120.0,
    memory_mb: int | None = 1024,
    limit: int | None = None,
    force: bool = False,
    retry: bool = False,
    retry_now: bool = False,
    progress: bool = False,
    tell: Callable[[str], None] | None = None,
    url: str | None = None,
) -> dict[str, Path]:
    """Make the shards and manifests of a data set; goes on from where an earlier run was stopped.

    Args:
        dataset_name: A name, or ``path/to/file.py:NAME``.
        options: The data set's options, from ``parse_options`` or the command line.
        out: Folder of shards and manifests.
        jobs: Number of worker processes; None for one, or with Ray for as many as the cluster has processors.
        engine: ``local`` (processes of this machine) or ``ray`` (an existing cluster); the bytes are the same.
        ray_address: The cluster, as for ``ray.init``; None for the default one.
        time_limit_s: A clip that takes longer is given up with status ``timeout``.
        memory_mb: Memory that a worker may use; more is status ``out_of_memory``.
        limit: Only the first so many items of each split.
        force: Make everything again.
        retry: Try clips again whose failure may go away, when they are due; also of splits that are finished.
        retry_now: Try such clips again, due or not.
        progress: Show a progress bar on standard error when it is a terminal.
        tell: Gets lines about what will be fetched and how long that takes, before it begins.
        url: Where the shards and, at last, the manifests go, in fsspec's notation; ``out`` then holds unfinished
            clips, and copies of the manifests.

    Returns:
        The manifest of each split. Clips that could not be had are in it, with a status and a reason.

    Raises:
        FoleyError: See ``plan``; or another run is working on ``out``, or the workers cannot start.
    """
    with locked(out, "prepare", LOCK):
        destination = _destination(out, url)
        plans = plan(dataset_name, options, out, limit=limit, force=force, url=url, pull=not force)
        watch = RetryWatch(out, retry=retry, retry_now=retry_now)
        for split in plans:
            _begin(destination, split, watch, force=force)
            if split.staging.folder.is_dir():
                announce(load_dataset(dataset_name).outlook(options, split.left), split.split, tell)
        n_jobs = jobs if jobs is not None else DEFAULT_JOBS.get(engine, 1)
        settings = PoolSettings(dataset=dataset_name, jobs=n_jobs, time_limit_s=time_limit_s, memory_mb=memory_mb)
        todo = [split for split in plans if split.staging.folder.is_dir()]
        _make(_engine(engine, settings, ray_address), load_dataset(dataset_name), destination, todo, watch, progress)
        for split in todo:
            finish(out, split.staging, split.groups, split.header)
        write_between(out)
        for split in plans:
            destination.publish(split.split)
        return {split.split: manifest_path(out, split.split) for split in plans}


def _begin(destination: Destination, split: SplitPlan, watch: RetryWatch, *, force: bool) -> None:
    """Open the staging area of a split that is not finished."""
    out, sizes = destination.out, destination.sizes()
    if force:
        split.staging.remove()
        forget_split(out, split.split)
    again = watch.again(split.split)
    finished = find_finished(out, split.split, sizes)
    if finished is not None:
        split.staging.remove()  # Left by a run that was killed between its manifest and its tidying.
        if not finished.lost and not (watch.retries and any_left(manifest_path(out, split.split), split.items, again)):
            return
        take_apart(out, split.staging, split.groups, finished)
    split.staging.open()
    destination.withdraw(split.split, split.staging, fresh=force)
    for group in split.groups:
        _begin_group(destination, sizes, split.staging, group, again)


def _begin_group(
    destination: Destination, sizes: Mapping[str, int], staging: Staging, group: ShardGroup, again: Again
) -> None:
    """Discard the record of a packed group whose shard is lost, and clips that are to be tried again."""
    path = staging.part_path(group.index)
    if not path.is_file():
        drop_again(staging, group, again)
        return
    part = read_part(path)
    if part.shard and sizes.get(part.shard) != part.n_bytes:
        path.unlink()
    elif any_again(group, part, again):
        if part.shard:
            destination.bring(part.shard)
        reopen(destination.out, staging, group, part, again)


def _engine(name: str, settings: PoolSettings, ray_address: str | None) -> Engine:
    if name not in DEFAULT_JOBS:
        raise UnknownNameError(unknown("engine", name, DEFAULT_JOBS))
    if name == "local":
        return functools.partial(run_tasks, settings)
    from foleybench.prepare.ray_pool import run_on_ray

    return functools.partial(run_on_ray, settings, address=ray_address)


def _make(
    engine: Engine,
    dataset: Dataset,
    destination: Destination,
    splits: Sequence[SplitPlan],
    watch: RetryWatch,
    progress: bool,
) -> None:
    n_failed = 0
    left = (item for split in splits for group in split.groups for item in _left(split.staging, group))
    n_left = sum(dataset.known_failure(item) is None for item in left)
    in_work = [PackedSplit(split.staging, split.groups) for split in splits]
    with (
        Packer(destination, in_work, dataset.known_failure) as packer,
        Progress(total=n_left, unit="clip", disable=not progress) as bar,
        contextlib.closing(engine(packer.tasks())) as ended,
    ):
        for task, status in ended:
            watch.ended(task, status)
            packer.ended(task)
            n_failed += status != "ok"
            bar.note(failed=n_failed)
            bar.update()


def _check_names(split: str, items: Sequence[Item]) -> None:
    if not _SAFE_NAME.fullmatch(split):
        raise FoleyError(f"{split!r} cannot be the name of a split: use letters, digits, - and _.")
    seen: set[str] = set()
    for item in items:
        if not is_safe(item.clip_id):
            raise FoleyError(
                f"{item.clip_id!r} cannot be a clip id: use letters, digits, - and _, at most {MAX_ID_BYTES} bytes."
            )
        if item.refused is None and item.clip_id in seen:
            raise FoleyError(f"clip id {item.clip_id!r} is listed twice in split {split!r}; ids must be unique.")
        if item.refused is None:
            seen.add(item.clip_id)
