"""Score chunks of clips in processes or on Ray, in order.

Workers share only the feature cache, so a run that was stopped goes on from the cached features. Each worker holds the
encoders once; on a GPU one process does the work in large batches.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import os
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Literal, NamedTuple

from foleybench.api.weights import EVALUATORS, evaluators_folder
from foleybench.artefacts.audio_folder import ClipProblem
from foleybench.errors import FoleyError
from foleybench.runtime.worker_processes import worker_processes
from foleybench.scoring.scorer import ClipToScore, Scored, Scorer, ScorerRecipe
from foleybench.scoring.under_way import UnderWay

Engine = Literal["local", "ray"]
# Chunks queued per process beyond those in work: enough to keep all busy, few enough to bound memory.
_AHEAD = 3
# This many clips in a row that each end their process are no fault of one file.
_MOST_DEATHS = 3


class _Task(NamedTuple):
    recipe: ScorerRecipe
    wanted: tuple[ClipToScore, ...]


def score_clips(
    recipe: ScorerRecipe, wanted: Sequence[ClipToScore], *, jobs: int = 1, engine: Engine = "local"
) -> Generator[Scored]:
    """Score clips.

    Args:
        recipe: The settings.
        wanted: The clips.
        jobs: Number of processes on this machine; one for a GPU, and not more than there are chunks.
        engine: ``ray`` sends the chunks to the cluster that ``RAY_ADDRESS`` names, or to that of this machine; its
            nodes read data, audio and weights at the same paths.

    Yields:
        A row and its problems for every clip, in order.

    Raises:
        FoleyError: Workers die on any clip (the chunk is named), or there is no cluster.
    """
    here = Scorer(recipe)
    tasks = [_Task(recipe, tuple(wanted[i : i + here.chunk])) for i in range(0, len(wanted), here.chunk)]
    jobs = min(jobs if recipe.device == "cpu" else 1, len(tasks))
    if engine == "ray":
        chunks = _on_ray(tasks, n_gpus=0.0 if recipe.device == "cpu" else 1.0)
    elif jobs > 1:
        chunks = _in_processes(here, tasks, jobs)
    else:
        chunks = _here(here, tasks)
    for chunk in chunks:
        yield from chunk


def usable_cores() -> int:
    """Return the default number of processes: one per core that this process may use, at most 8."""
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


@functools.lru_cache(maxsize=1)
def _scorer(recipe: ScorerRecipe) -> Scorer:
    return Scorer(recipe)


def _score(task: _Task) -> list[Scored]:
    """Score a chunk in a worker, which keeps its scorer from one chunk to the next."""
    return _scorer(task.recipe)(task.wanted)


def _here(here: Scorer, tasks: Sequence[_Task]) -> Iterator[list[Scored]]:
    """Score chunks in this process; one that was under way when an earlier run died, clip by clip in another.

    That costs nothing in a run that goes well. A decoder that crashes ends the run; the same command again goes on from
    the feature cache, names the clip, and scores the others.
    """
    under_way = UnderWay(tasks[0].recipe.cache if tasks else None)
    try:
        for task in tasks:
            if task.recipe.device == "cpu" and under_way.suspect(task.wanted):
                yield from _apart(here, [task])
                continue
            under_way.begin(task.wanted)
            yield here(task.wanted)
    finally:
        under_way.end()


def _in_processes(here: Scorer, tasks: Sequence[_Task], jobs: int) -> Iterator[list[Scored]]:
    """Score chunks in processes; when one dies, those that were under way are scored clip by clip, each on its own."""
    left = deque(tasks)
    while left:
        try:
            with worker_processes(jobs) as pool:
                yield from _ended(pool, left, jobs)
        except BrokenProcessPool:
            under_way = [left.popleft() for _ in range(min(len(left), _AHEAD * jobs))]
            yield from _apart(here, under_way)


def _ended(pool: concurrent.futures.ProcessPoolExecutor, left: deque[_Task], jobs: int) -> Iterator[list[Scored]]:
    """Yield chunks in order; a task stays in ``left`` until it ended."""
    flying: deque[concurrent.futures.Future[list[Scored]]] = deque()
    while left:
        while len(flying) < min(len(left), _AHEAD * jobs):
            flying.append(pool.submit(_score, left[len(flying)]))
        done = flying.popleft().result()
        left.popleft()
        yield done


def _apart(here: Scorer, tasks: Sequence[_Task]) -> Iterator[list[Scored]]:
    """Score chunks clip by clip; a clip that ends its process is named and not scored.

    Raises:
        FoleyError: Several clips in a row did, which is no clip's fault.
    """
    n_in_a_row = 0
    for task in tasks:
        scored: list[Scored] = []
        while len(scored) < len(task.wanted):
            try:
                with worker_processes(1) as pool:
                    for clip in task.wanted[len(scored) :]:
                        scored += pool.submit(_score, task._replace(wanted=(clip,))).result()
                        n_in_a_row = 0
            except BrokenProcessPool as error:
                n_in_a_row += 1
                if n_in_a_row >= _MOST_DEATHS:
                    raise FoleyError(_lost(task, "a worker process died")) from error
                scored.append(_crashed(here, task.wanted[len(scored)]))
        yield scored


def _crashed(here: Scorer, clip: ClipToScore) -> Scored:
    """Return the row of a clip that is not scored, with the reason."""
    row = here((clip._replace(path=None),))[0].row
    name = clip.path.name if clip.path else clip.clip_id
    return Scored(row, [ClipProblem(clip.clip_id, "crashed", f"{name}: reading or scoring it ends the process")])


def _on_ray(tasks: Sequence[_Task], n_gpus: float) -> Iterator[list[Scored]]:
    from foleybench.runtime.ray_map import connected, ray_map

    if evaluators_folder():
        # Workers have the environment that their cluster was started in: they could take the packaged evaluators.
        raise FoleyError(
            f"{EVALUATORS} is set to {evaluators_folder()}, which a Ray cluster's workers do not know of. "
            "Score without --engine ray."
        )
    with connected(), contextlib.closing(ray_map(_score, tasks, n_gpus=n_gpus, ordered=True)) as ended:
        for done in ended:
            if done.result is None:
                raise FoleyError(_lost(done.task, done.lost))
            yield done.result


def _lost(task: _Task, how: str) -> str:
    first, last = task.wanted[0].clip_id, task.wanted[-1].clip_id
    return (
        f"{how} at or before clips {first} to {last}; out of memory, or a file that kills a decoder. "
        "Run the same command again with --jobs 1: it goes on from the feature cache."
    )
