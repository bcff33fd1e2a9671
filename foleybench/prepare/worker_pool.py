"""Run workers that may hang or crash without ending the run."""

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
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from foleybench.api.dataset import Item
from foleybench.errors import FoleyError
from foleybench.prepare.staging import ItemOutcome, dumps, stage_outcome

_START_LIMIT_S = 120.0
_STDERR_CHARS = 300


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
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
        memory_mb: Memory a worker may use in all, or None for no limit.
    """

    dataset: str
    jobs: int = 1
    time_limit_s: float = 120.0
    memory_mb: int | None = 1024


class _Worker:
    """One worker process and its current task."""

    def __init__(self, settings: PoolSettings, task: Task) -> None:
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
        self.task: Task | None = task  # Sent at once; its clock starts when the worker is ready.
        self.ready = False
        self._received = b""
        self.deadline_s = time.monotonic() + _START_LIMIT_S
        setup = {"dataset": settings.dataset, "memory_mb": settings.memory_mb, "sys_path": sys.path}
        self._send({**setup, "parent": os.getpid()})
        self._order(task)

    @property
    def limit_s(self) -> float:
        """Seconds that the worker may take for its current task."""
        return self._settings.time_limit_s if self.ready else _START_LIMIT_S

    def give(self, task: Task) -> None:
        """Send a task; the clock of its time limit starts."""
        self.task = task
        self.restart_clock()
        self._order(task)

    def restart_clock(self) -> None:
        """Give the worker its time limit from now on."""
        self.deadline_s = time.monotonic() + self._settings.time_limit_s

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

    def _order(self, task: Task) -> None:
        self._send({"item": vars(task.item), "folder": str(task.folder)})

    def _send(self, record: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # It has died; receive() will say so.
            self.process.stdin.write(dumps(record).encode() + b"\n")
            self.process.stdin.flush()


class _Queue:
    """The tasks that wait, pulled one at a time, those to be tried again first."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = iter(tasks)
        self._again: list[Task] = []
        self._tried: set[tuple[Path, str]] = set()

    def next(self) -> Task | None:
        """Return the next task, or None when none is left."""
        return self._again.pop() if self._again else next(self._tasks, None)

    def again(self, task: Task) -> bool:
        """Queue a task whose worker has died, if it was its first; say whether."""
        key = (task.folder, task.item.clip_id)
        if key in self._tried:
            return False
        self._tried.add(key)
        self._again.append(task)
        return True


def run_tasks(settings: PoolSettings, tasks: Iterable[Task]) -> Generator[tuple[Task, str]]:
    """Make every item; yield each task with its status as it ends, in no fixed order.

    Every task ends: with what the worker staged, or with a staged ``timeout`` or ``crashed``. A task whose worker dies
    is tried once more in a new one, since the machine may have killed it for what others did; the second death is
    ``crashed``. However the generator is left, no worker survives it.

    Raises:
        FoleyError: Workers cannot start at all (the data set's file fails to import), or a disk is full.
    """
    queue = _Queue(tasks)
    workers: list[_Worker] = []
    with selectors.DefaultSelector() as selector:
        try:
            while True:
                for worker in workers:
                    if worker.ready and worker.task is None and (task := queue.next()):
                        worker.give(task)
                while len(workers) < settings.jobs and (task := queue.next()):
                    workers.append(_start(settings, selector, task))
                if not any(worker.task for worker in workers):
                    return
                yield from _step(selector, workers, queue)
        finally:
            for worker in workers:
                worker.kill()


def _start(settings: PoolSettings, selector: selectors.BaseSelector, task: Task) -> _Worker:
    worker = _Worker(settings, task)
    assert worker.process.stdout is not None
    selector.register(worker.process.stdout, selectors.EVENT_READ, worker)
    return worker


def _step(selector: selectors.BaseSelector, workers: list[_Worker], queue: _Queue) -> Iterator[tuple[Task, str]]:
    """Wait for the next answer, death or deadline, and act on it."""
    soonest_s = min(worker.deadline_s for worker in workers if worker.task)
    for key, _ in selector.select(timeout=max(0.0, soonest_s - time.monotonic())):
        worker: _Worker = key.data
        answers = worker.receive()
        if answers is None:
            yield from _bury(selector, workers, worker, "crashed", worker.last_words(), queue)
            continue
        for answer in answers:
            if "ready" in answer:
                worker.ready = True
                worker.restart_clock()
            elif "waits_s" in answer:
                worker.deadline_s += float(answer["waits_s"])
            elif worker.task is not None:
                task, worker.task = worker.task, None
                yield task, _status(answer)
    now_s = time.monotonic()
    for worker in [w for w in workers if w.task and w.deadline_s <= now_s]:
        yield from _bury(selector, workers, worker, "timeout", f"not done after {worker.limit_s:g} s", queue)


def _status(answer: Mapping[str, Any]) -> str:
    if "no_room" in answer:
        raise FoleyError(f"{answer['no_room']}. Make room or name another place; what is done is kept.")
    return str(answer["status"])


def _bury(
    selector: selectors.BaseSelector, workers: list[_Worker], worker: _Worker, status: str, reason: str, queue: _Queue
) -> Iterator[tuple[Task, str]]:
    """Remove a dead or hung worker and record its task as failed, or queue the task again."""
    assert worker.process.stdout is not None
    selector.unregister(worker.process.stdout)
    workers.remove(worker)
    task, ready = worker.task, worker.ready
    worker.kill()
    if not ready:
        raise FoleyError(f"a worker did not start: {reason}. Check the data set's file and the installation.")
    if task is not None and not (status == "crashed" and queue.again(task)):
        stage_outcome(task.folder, task.item.clip_id, ItemOutcome(status=status, reason=reason))
        yield task, status
