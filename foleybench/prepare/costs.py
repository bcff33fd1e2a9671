"""Estimate what preparing many clips takes.

Costs are measured on a few of the clips on this machine, and computed from these for all.

Measured: processor and wall seconds a clip, bytes a usable clip, the share that can be used. Assumed, and options of
the command: hours there are, cores of a machine, how busy they are kept, prices. What fetching takes beyond that
(pauses that a site asks for) the data set says itself. What ``prepare`` itself adds (starting orders, staging, packing,
about half a millisecond of processor a clip in one process) is measured by ``benchmarks/prepare_scale.py``.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from foleybench.api.dataset import Dataset, Item
from foleybench.errors import FoleyError, MediaError
from foleybench.prepare.engine import plan
from foleybench.prepare.load_dataset import load_dataset
from foleybench.prepare.pack import clips_per_shard
from foleybench.runtime.progress import Progress

# Room that a tar takes beside the media: three headers, three paddings, the JSON member.
_TAR_BYTES = 4096


@dataclasses.dataclass(frozen=True, kw_only=True)
class Assumed:
    """Assumptions for the estimate, which the command's options change.

    Attributes:
        n_clips: Clips to prepare, or None for those that are asked for.
        hours: Hours in which it should be done.
        cores: Cores of a machine.
        busy: Share of the time that a core works.
        core_hour: Price of a core for an hour.
        gb_month: Price of a gigabyte kept for a month.
        currency: What the prices are in.
    """

    n_clips: int | None = None
    hours: float = 24.0
    cores: int = 16
    busy: float = 0.8
    core_hour: float = 0.05
    gb_month: float = 0.023
    currency: str = "USD"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cost:
    """The cost of one clip of the sample.

    Attributes:
        cpu_s: Processor seconds.
        wall_s: Seconds by the clock.
        n_bytes: Bytes of the prepared clip; 0 when it failed.
        status: ``ok`` or why it failed.
    """

    cpu_s: float
    wall_s: float
    n_bytes: int
    status: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class CostEstimate:
    """The cost of all the clips.

    Attributes:
        n_clips: Clips to prepare.
        core_hours: Processor time, in hours.
        n_cores: Cores that prepare all clips within the given hours.
        n_machines: Machines of so many cores.
        n_usable: Clips expected to be usable.
        n_bytes: Bytes of the shards.
        n_shards: Number of shards at most.
        make_price: Price of the processor time.
        month_price: Price of keeping the shards for a month.
    """

    n_clips: int
    core_hours: float
    n_cores: int
    n_machines: int
    n_usable: int
    n_bytes: float
    n_shards: int
    make_price: float
    month_price: float


def estimate_costs(costs: Sequence[Cost], n_clips: int, n_per_shard: int, assumed: Assumed) -> CostEstimate:
    """Return the cost of all clips, from the costs of a sample.

    Example:
        >>> cost = Cost(cpu_s=1.8, wall_s=2.0, n_bytes=600_000, status="ok")
        >>> found = estimate_costs([cost], 2_000_000, 512, Assumed())
        >>> found.core_hours, found.n_cores, found.n_machines, found.n_shards
        (1000.0, 53, 4, 3907)
    """
    core_hours = n_clips * statistics.fmean(cost.cpu_s for cost in costs) / 3600
    n_cores = math.ceil(core_hours / (assumed.hours * assumed.busy))
    usable = [cost.n_bytes for cost in costs if cost.status == "ok"]
    n_bytes = n_clips * sum(size + _TAR_BYTES for size in usable) / len(costs)
    return CostEstimate(
        n_clips=n_clips,
        core_hours=core_hours,
        n_cores=n_cores,
        n_machines=math.ceil(n_cores / assumed.cores),
        n_usable=round(n_clips * len(usable) / len(costs)),
        n_bytes=n_bytes,
        n_shards=math.ceil(n_clips / n_per_shard),
        make_price=core_hours / assumed.busy * assumed.core_hour,
        month_price=n_bytes / 1e9 * assumed.gb_month,
    )


def measure_costs(dataset: Dataset, items: Sequence[Item], n_sample: int) -> Iterator[Cost]:
    """Prepare clips at even distances in the list, in this process, and yield the cost of each; no clip is kept."""
    step = max(1, len(items) // n_sample)
    for item in items[::step][:n_sample]:
        cpu_s, wall_s, status, n_bytes = time.process_time(), time.perf_counter(), "ok", 0
        try:
            sample = dataset.make(item)
            n_bytes = len(sample.mp4 or b"") + len(sample.flac)
        except MediaError as error:
            status = error.status
        cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
        yield Cost(cpu_s=cpu_s, wall_s=wall_s, n_bytes=n_bytes, status=status)


def describe_costs(
    dataset_name: str, options: argparse.Namespace, out: Path, *, n_sample: int, assumed: Assumed, limit: int | None
) -> list[str]:
    """Prepare a sample of a command's clips, and return lines that state the cost of all of them.

    Raises:
        FoleyError: No clip is left to prepare, so no cost can be measured.
    """
    dataset = load_dataset(dataset_name)
    splits = plan(dataset_name, options, out, limit=limit, force=True)
    items = [item for split in splits for item in split.wanted]
    if not items:
        raise FoleyError("every clip asked for is refused by name: there is nothing to measure.")
    bar = Progress(measure_costs(dataset, items, n_sample), total=min(n_sample, len(items)), unit="clip")
    costs = list(bar)
    clip_s = splits[0].header.profile.get("clip_s") or 10.0
    found = estimate_costs(costs, assumed.n_clips or len(items), clips_per_shard(clip_s), assumed)
    return [*_measured(costs, len(items)), *_follows(found, assumed), *dataset.outlook(options, items)]


def _measured(costs: Sequence[Cost], n_items: int) -> list[str]:
    cpu = [cost.cpu_s for cost in costs]
    usable = [cost.n_bytes for cost in costs if cost.status == "ok"]
    size = f"{statistics.fmean(usable) / 1e6:.3f} MB a usable clip" if usable else "no clip usable"
    failed = sorted({cost.status for cost in costs} - {"ok"})
    return [
        f"measured on {len(costs)} of {n_items} clips: {statistics.fmean(cpu):.3f} s of processor a clip "
        f"({min(cpu):.3f} to {max(cpu):.3f}), {statistics.fmean(cost.wall_s for cost in costs):.3f} s by the clock, "
        f"{size}, {len(usable)} of {len(costs)} usable" + (f" (others: {', '.join(failed)})" if failed else "")
    ]


def _follows(found: CostEstimate, assumed: Assumed) -> list[str]:
    return [
        f"for {found.n_clips} clips: {found.core_hours:.1f} core hours, that is {assumed.hours:g} hours on "
        f"{found.n_cores} cores kept {100 * assumed.busy:.0f} % busy, {found.n_machines} machines of {assumed.cores}",
        f"about {found.n_usable} usable clips, {found.n_bytes / 1e9:.1f} GB in at most {found.n_shards} shards",
        f"at {assumed.core_hour:g} {assumed.currency} a core hour and {assumed.gb_month:g} {assumed.currency} a GB and "
        f"month: {found.make_price:.2f} {assumed.currency} to make, {found.month_price:.2f} {assumed.currency} a month",
    ]
