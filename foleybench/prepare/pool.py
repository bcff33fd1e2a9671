"""A pool of workers that may hang, crash or run out of memory without taking the run with them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from foleybench.datasets import Item
from foleybench.errors import FoleyError
from foleybench.prepare.staging import Outcome, dumps, stage_outcome

_START_LIMIT_S = 120.0
_STDERR_CHARS = 300


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """One item and the staging folder that it goes to."""

    item: Item
    folder: Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class PoolSettings:
    """How the workers run.

    Attributes:
        dataset: Name of the data set, or ``path/to/file.py:NAME``.
        jobs: Number of workers.
        time_limit_s: A worker that needs longer for one item is killed.
        memory_mb: Memory a worker may use beyond what it holds when it is ready, or None.
    """

    dataset: str
    jobs: int = 1
    time_limit_s: float = 120.0
    memory_mb: int | None = 3072


class _Worker:
    """One worker process and what it is doing."""

    def __init__(self, settings: PoolSettings) -> None:
        self._settings = settings
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by kill()
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
        }  # Clips run in parallel; threads inside one get in the way.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "foleybench.prepare.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=environment,
        )
        self.task: Task | None = None
        self.ready = False
        self._received = b""
        self.deadline_s = time.monotonic() + _START_LIMIT_S
        self._send({"dataset": settings.dataset, "memory_mb": settings.memory_mb, "sys_path": sys.path})

    @property
    def limit_s(self) -> float:
        """How long the worker may take for what it does now."""
        return self._settings.time_limit_s if self.ready else _START_LIMIT_S

    def give(self, task: Task) -> None:
        """Send a task; the clock of its time limit starts."""
        self.task = task
        self.deadline_s = time.monotonic() + self._settings.time_limit_s
        self._send({"item": dataclasses.asdict(task.item), "folder": str(task.folder)})

    def receive(self) -> list[dict[str, Any]] | None:
        """Return the answers that have arrived, or None when the worker has died."""
        assert self.process.stdout is not None
        data = os.read(self.process.stdout.fileno(), 65536)
        if not data:
            return None
        *lines, self._received = (self._received + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def kill(self) -> None:
        """End the process at once and forget its pipes."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):  # Unsent input of a dead worker.
                assert pipe is not None
                pipe.close()
        self._stderr.close()

    def last_words(self) -> str:
        """Return how the process ended and the last line that it wrote."""
        code = self.process.wait()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return f"the worker ended with {how}" + (f": {lines[-1][:_STDERR_CHARS]}" if lines else "")

    def _send(self, record: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # It has died; receive() will say so.
            self.process.stdin.write(dumps(record).encode() + b"\n")
            self.process.stdin.flush()


def run_tasks(settings: PoolSettings, tasks: Sequence[Task]) -> Generator[tuple[Task, str]]:
    """Make every item; yield each task with its status as it ends, in no fixed order.

    Every task ends: with what the worker staged, or with a staged ``timeout`` or ``crashed``. However the generator is
    left, no worker survives it.

    Raises:
        FoleyError: Workers cannot start at all (the data set's file fails to import).
    """
    waiting = list(reversed(tasks))
    workers: list[_Worker] = []
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or any(worker.task for worker in workers):
                busy = sum(worker.task is not None for worker in workers)
                for _ in range(min(settings.jobs, busy + len(waiting)) - len(workers)):
                    workers.append(_start(settings, selector))
                yield from _step(selector, workers, waiting)
        finally:
            for worker in workers:
                worker.kill()


def _start(settings: PoolSettings, selector: selectors.BaseSelector) -> _Worker:
    worker = _Worker(settings)
    assert worker.process.stdout is not None
    selector.register(worker.process.stdout, selectors.EVENT_READ, worker)
    return worker


def _step(selector: selectors.BaseSelector, workers: list[_Worker], waiting: list[Task]) -> Iterator[tuple[Task, str]]:
    """Wait for the next answer, death or deadline, and act on it."""
    soonest_s = min(worker.deadline_s for worker in workers if worker.task or not worker.ready)
    for key, _ in selector.select(timeout=max(0.0, soonest_s - time.monotonic())):
        worker: _Worker = key.data
        answers = worker.receive()
        if answers is None:
            yield from _bury(selector, workers, worker, "crashed", worker.last_words())
            continue
        for answer in answers:
            if worker.task is not None:
                yield worker.task, str(answer["status"])
            worker.ready, worker.task = True, None
        if waiting and worker.task is None:
            worker.give(waiting.pop())
    now_s = time.monotonic()
    for worker in [w for w in workers if (w.task or not w.ready) and w.deadline_s <= now_s]:
        yield from _bury(selector, workers, worker, "timeout", f"not done after {worker.limit_s:g} s")


def _bury(
    selector: selectors.BaseSelector, workers: list[_Worker], worker: _Worker, status: str, reason: str
) -> Iterator[tuple[Task, str]]:
    """Take a dead or hung worker away and record what it was working on."""
    assert worker.process.stdout is not None
    selector.unregister(worker.process.stdout)
    workers.remove(worker)
    task, ready = worker.task, worker.ready
    worker.kill()
    if not ready:
        raise FoleyError(f"a worker did not start: {reason}. Check the data set's file and the installation.")
    if task is not None:
        stage_outcome(task.folder, task.item.clip_id, Outcome(status=status, reason=reason))
        yield task, status
