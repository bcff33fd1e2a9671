"""Run phases in processes of their own, each with a deadline, into one JSON-lines file."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What the phases share.

    Attributes:
        out: Folder of the record and of everything that phases leave for later ones.
        device: Torch device name.
        small: Whether everything is made small, as for a CPU.
        jobs: Processes that render.
    """

    out: Path
    device: str
    small: bool
    jobs: int

    @property
    def records(self) -> Path:
        """The JSON-lines file."""
        return self.out / "gpu_check.jsonl"


class Report:
    """Appends what a phase finds, a line at once, so that a phase cut short loses nothing."""

    def __init__(self, path: Path, phase: str, ends_at: float) -> None:
        self._path, self._phase, self._ends_at = path, phase, ends_at

    @property
    def seconds_left(self) -> float:
        """Seconds until the phase is ended from outside."""
        return self._ends_at - time.monotonic()

    def add(self, what: str, **facts: Any) -> None:
        """Append one line."""
        line = json.dumps({"phase": self._phase, "what": what, **facts}, default=str)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())


Work = Callable[[Plan, Report], None]


def run_phase(name: str, work: Work, plan: Plan, seconds: float) -> str:
    """Run a phase in a process group of its own, and end the group at the deadline.

    The process is forked, so what is imported here is imported once; the caller must not have touched the GPU.

    Returns:
        ``done``, ``failed`` or ``deadline``; the record's last line of the phase says it, too, with the seconds taken.
    """
    started = time.monotonic()
    report = Report(plan.records, name, started + seconds)
    child = multiprocessing.get_context("fork").Process(target=_alone, args=(work, plan, report))
    child.start()
    try:
        child.join(max(0.0, seconds))
        outcome = "deadline" if child.is_alive() else ("done" if child.exitcode == 0 else "failed")
    finally:
        _end_group(child.pid)
        child.join()
    report.add("end", outcome=outcome, seconds=round(time.monotonic() - started, 2), deadline_s=round(seconds, 2))
    return outcome


def _alone(work: Work, plan: Plan, report: Report) -> None:
    os.setpgid(0, 0)
    try:
        work(plan, report)
    except BaseException as error:  # SystemExit and Ctrl-C too: the record says why a phase ended, then it ends so
        report.add("error", error=repr(error), traceback=traceback.format_exc()[-3000:])
        raise
    finally:
        sys.stdout.flush()


def _end_group(pid: int | None) -> None:
    """Kill what is left of a phase: the process may be past its deadline, and may have left children."""
    assert pid is not None
    for end in (os.killpg, os.kill):  # by itself, too: it may have been stopped before it had a group
        with contextlib.suppress(ProcessLookupError):
            end(pid, signal.SIGKILL)
