"""Run a function over many tasks on a Ray cluster.

Ray's own retries are off: lost tasks are submitted again here, so that a task that kills every worker is distinguished
from one that was on the wrong machine. Functions must be importable on the nodes: the same version
of this package has to be installed there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from typing import Any, Generic, TypeVar

from foleybench.errors import FoleyError

T = TypeVar("T")
R = TypeVar("R")

# Deaths after which a task is given up.
TRIES = 3
# Tasks under way or waiting for a worker, per processor of the cluster.
_AHEAD = 2
_POLL_S = 5.0
_NO_PROCESSORS_S = 120.0


@dataclasses.dataclass(frozen=True)
class Done(Generic[T, R]):
    """A task and its outcome.

    Attributes:
        task: The task.
        result: What the function returned; None when the task was given up.
        lost: "" or how its workers died.
    """

    task: T
    result: R | None
    lost: str = ""


@dataclasses.dataclass
class _Flight(Generic[T]):
    index: int
    task: T
    deaths: int = 0


@contextlib.contextmanager
def connected(address: str | None = None) -> Iterator[None]:
    """Connect to a cluster unless this process is connected already. Standard output goes to the error stream.

    Args:
        address: As for ``ray.init``; None takes ``RAY_ADDRESS`` or the cluster of this machine.

    Raises:
        FoleyError: Ray is not installed, or there is no cluster.
    """
    try:
        import ray
    except ImportError as error:
        raise FoleyError('Ray is not installed. Install it with `pip install "foleybench[ray]"`.') from error
    if ray.is_initialized():
        yield
        return
    try:
        ray.init(address=address or "auto", log_to_driver=False, configure_logging=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise FoleyError(
            f"no Ray cluster at {address or 'the default address'}: {error}. Start one with `ray start --head`."
        ) from error
    # Ray prints deaths of workers to standard output, which belongs to the caller; also late, while it shuts down.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            yield
        finally:
            ray.shutdown()


def ray_map(
    function: Callable[[T], R],
    tasks: Iterable[T],
    *,
    at_once: int | None = None,
    n_cpus: float = 1.0,
    n_gpus: float = 0.0,
    ordered: bool = False,
    tries: int = TRIES,
) -> Generator[Done[T, R]]:
    """Call a function of a module for every task on the cluster that this process is connected to.

    Args:
        function: Takes a task, returns a result; both travel pickled. Must give the same result when called again.
        tasks: Taken as needed.
        at_once: Most tasks under way at a time; None for what the cluster has processors for.
        n_cpus: Processors that one call takes.
        n_gpus: GPUs that one call takes.
        ordered: Yield in the order of the tasks instead of as they end.
        tries: Deaths after which a task is given up.

    Raises:
        FoleyError: The cluster has no processors (any more). What the function raises is raised here.
    """
    import ray

    remote: Any = ray.remote(function).options(
        num_cpus=n_cpus, num_gpus=n_gpus, max_retries=0, scheduling_strategy="SPREAD"
    )
    held: dict[int, Done[T, R]] = {}
    due = 0
    with contextlib.closing(_as_they_end(remote, tasks, _Room(at_once, n_cpus), tries, held)) as ended:
        for done, index in ended:
            if not ordered:
                yield done
                continue
            held[index] = done
            while due in held:
                yield held.pop(due)
                due += 1


def _as_they_end(
    remote: Any, tasks: Iterable[T], room: _Room, tries: int, held: Sized
) -> Generator[tuple[Done[T, Any], int]]:
    """Yield the outcome of each task, with its number; ``held`` results count as under way."""
    import ray

    waiting = (_Flight(index, task) for index, task in enumerate(tasks))
    again: list[_Flight[T]] = []
    flights: dict[Any, _Flight[T]] = {}
    try:
        while True:
            while len(flights) + len(held) < room.now() or not flights:
                flight = again.pop() if again else next(waiting, None)
                if flight is None:
                    break
                flights[remote.remote(flight.task)] = flight
            if not flights:
                return
            yield from _landed(flights, again, tries)
    finally:
        for reference in flights:
            ray.cancel(reference, force=True)


class _Room:
    """Counts how many tasks may be under way; asks the cluster again from time to time, since nodes come and go."""

    def __init__(self, at_once: int | None, n_cpus: float) -> None:
        self._at_once, self._n_cpus = at_once, n_cpus
        self._asked_s = self._seen_s = time.monotonic()
        self._room = 0

    def now(self) -> int:
        """Return the number, at least 1.

        Raises:
            FoleyError: There have been no processors for too long.
        """
        import ray

        now_s = time.monotonic()
        if not self._room or now_s - self._asked_s > _POLL_S:
            resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
            processors = resources.get("CPU", 0.0)
            self._asked_s = now_s
            self._seen_s = now_s if processors >= self._n_cpus else self._seen_s
            if now_s - self._seen_s > _NO_PROCESSORS_S:
                raise FoleyError(f"the Ray cluster has had no processors for {_NO_PROCESSORS_S:g} s. Add nodes.")
            self._room = max(1, int(_AHEAD * processors / max(self._n_cpus, 1e-3)))
        return self._room if self._at_once is None else min(self._room, self._at_once)


def _landed(flights: dict[Any, _Flight[T]], again: list[_Flight[T]], tries: int) -> Iterator[tuple[Done[T, Any], int]]:
    """Wait a moment; yield the tasks that ended, queue again those whose workers died."""
    import ray
    from ray import exceptions

    ready, _ = ray.wait(list(flights), num_returns=1, timeout=_POLL_S)
    for reference in ready:
        flight = flights.pop(reference)
        try:
            result = ray.get(reference)
        except exceptions.RayTaskError as error:
            raise error.cause from error
        except exceptions.RayError as error:
            # Worker, node or object lost, or the node short of memory.
            flight.deaths += 1
            if flight.deaths < tries:
                again.append(flight)
            else:
                words = str(error).strip().splitlines()
                yield Done(flight.task, None, f"{type(error).__name__}: {words[0] if words else ''}"), flight.index
        else:
            yield Done(flight.task, result), flight.index
