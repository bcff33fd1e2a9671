"""Clips made in the process of the test, for tests that are not about workers."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from foleybench.prepare.load_dataset import load_dataset
from foleybench.prepare.worker import make_one
from foleybench.prepare.worker_pool import PoolSettings, Task


def run_here(settings: PoolSettings, tasks: Iterable[Task]) -> Generator[tuple[Task, str]]:
    """Do what ``run_tasks`` does, without limits of time and memory; a bug of the data set ends the test."""
    dataset = load_dataset(settings.dataset)
    for task in tasks:
        yield task, make_one(dataset, task.item, task.folder)
