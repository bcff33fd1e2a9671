"""Run plans of ordinary ``foleybench`` commands.

Steps run as soon as the steps before them are done, a few at a time, each with its own log. Finished steps are not run
again, so an interrupted plan goes on.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from foleybench.errors import EXIT_OK, EXIT_PARTIAL
from foleybench.files import write_atomically
from foleybench.runtime.progress import Progress
from foleybench.runtime.with_parent import PARENT

_POLL_S = 0.2


@dataclasses.dataclass(frozen=True)
class Step:
    """One command of the plan.

    Attributes:
        name: Name of the step, of its log and of its mark.
        words: Arguments of ``foleybench``.
        after: Names of the steps whose output it reads.
        environment: Names and values of variables that it is run with.
        again: Whether it is run although its mark stands: the plan has seen that what it made is not there.
        behind: Names of steps that it waits for where they are run at all, without reading their output: a score that
            is timed is not run beside others.
    """

    name: str
    words: tuple[str, ...]
    after: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    again: bool = False
    behind: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command as a person would type it."""
        variables = [f"{name}={shlex.quote(value)}" for name, value in self.environment]
        return " ".join([*variables, shlex.join(["foleybench", *self.words])])


@contextmanager
def _sigterm_noticed() -> Iterator[threading.Event]:
    """Catch SIGTERM: steps left running would collide with those of the next try."""
    told = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda number, frame: told.set())
    try:
        yield told
    finally:
        signal.signal(signal.SIGTERM, before)


def run_steps(todo: Sequence[Step], out: Path, jobs: int, *, title: str = "steps") -> str:
    """Run the steps, at most ``jobs`` at a time.

    Args:
        todo: The steps, in an order in which they could run one by one.
        out: Folder of the logs and of the marks of finished steps.
        jobs: Processes at a time.
        title: Title of the progress bar.

    Returns:
        The name of the first step that failed (its log's last lines are on standard error), or "".
    """
    waiting = [step for step in todo if not is_done(step, out)]
    done = {step.name for step in todo} - {step.name for step in waiting}
    running: dict[str, tuple[Step, subprocess.Popen[bytes]]] = {}
    bar = Progress(total=len(todo), initial=len(done), desc=title, unit="step")
    with _sigterm_noticed() as told_to_end:
        try:
            while waiting or running:
                if told_to_end.is_set():
                    raise KeyboardInterrupt
                open_ones = {step.name for step in waiting} | set(running)
                ready = [step for step in waiting if done.issuperset(step.after) and open_ones.isdisjoint(step.behind)]
                for step in ready[: jobs - len(running)]:
                    waiting.remove(step)
                    sys.stderr.write(f"+ {step.command}\n")
                    running[step.name] = (step, _start(step, out))
                time.sleep(_POLL_S)
                for step, process in [pair for pair in running.values() if pair[1].poll() is not None]:
                    del running[step.name]
                    if process.returncode not in (EXIT_OK, EXIT_PARTIAL):
                        _tell_log(out, step.name)
                        return step.name
                    write_atomically(mark_of(out, step.name), step.command.encode())
                    done.add(step.name)
                    bar.update()
        finally:
            bar.close()
            for _, process in running.values():
                process.terminate()
                process.wait()
    return ""


def _start(step: Step, out: Path) -> subprocess.Popen[bytes]:
    log = out / "logs" / f"{step.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    # One thread a process: two small processes on two cores beat one with two threads.
    ours = {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", PARENT: str(os.getpid())}
    environment = {**os.environ, **ours, **dict(step.environment)}
    with log.open("ab") as handle:
        return subprocess.Popen(  # noqa: S603 (our own command line)
            [sys.executable, "-m", "foleybench.cli", *step.words], stdout=handle, stderr=handle, env=environment
        )


def mark_of(out: Path, name: str) -> Path:
    """Return the file that says that a step is done."""
    return out / "done" / name


def is_done(step: Step, out: Path) -> bool:
    """Return whether a step is done and need not be run again."""
    mark = mark_of(out, step.name)
    return not step.again and mark.is_file() and mark.read_text() == step.command


def _tell_log(out: Path, name: str) -> None:
    lines = (out / "logs" / f"{name}.log").read_text(errors="replace").splitlines()
    sys.stderr.write("\n".join(lines[-15:]) + "\n")
