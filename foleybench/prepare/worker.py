"""Make one clip after another in a process that may die.

Run as ``python -m foleybench.prepare.worker``. The worker reads JSON lines from standard input (first the set-up, then
items), stages what it makes, and answers each with one line. The worker is a fresh interpreter, not a fork: forks after
torch has started threads hang, and a ``__main__`` without a guard is never imported again.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import IO, Any

from foleybench.api.dataset import Dataset, Item
from foleybench.errors import NO_ROOM, MediaError, why
from foleybench.prepare.load_dataset import load_dataset
from foleybench.prepare.staging import ItemOutcome, failure, stage_outcome, stage_sample
from foleybench.prepare.waiting import tell_with
from foleybench.runtime.with_parent import end_with_parent


def make_one(dataset: Dataset, item: Item, folder: Path) -> str:
    """Make one item, stage it or its failure, and return its status."""
    try:
        sample = dataset.make(item)
    except MediaError as error:
        outcome = failure(error.status, error.reason, getattr(error, "retry_after_s", None))
    except MemoryError:
        outcome = ItemOutcome(status="out_of_memory", reason="the clip needs more memory than a worker may use")
    else:
        stage_sample(folder, item.clip_id, sample)
        return "ok"
    stage_outcome(folder, item.clip_id, outcome)
    return outcome.status


def main() -> int:
    """Serve until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends its workers itself.
    answers = _take_stdout()
    setup = json.loads(sys.stdin.buffer.readline())
    end_with_parent(setup["parent"])  # Also in the middle of a clip.
    sys.path[:] = setup["sys_path"]
    dataset = load_dataset(setup["dataset"])
    _limit_memory(setup["memory_mb"])
    tell_with(lambda seconds: _answer(answers, {"waits_s": seconds}))
    _answer(answers, {"ready": os.getpid()})
    for line in iter(sys.stdin.buffer.readline, b""):
        order = json.loads(line)
        item = Item(**order["item"])
        try:
            answer = {"clip_id": item.clip_id, "status": make_one(dataset, item, Path(order["folder"]))}
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            # No fault of the clip's: the run has to stop, or all others would fail by it.
            answer = {"no_room": f"{error.filename or order['folder']} cannot be written: {why(error)}"}
        _answer(answers, answer)
    return 0


def _take_stdout() -> IO[bytes]:
    """Keep standard output for the answers; output of libraries goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _answer(answers: IO[bytes], record: dict[str, Any]) -> None:
    answers.write(json.dumps(record).encode() + b"\n")
    answers.flush()


def _limit_memory(memory_mb: int | None) -> None:
    """Limit the process to this many MiB in all, including what it holds now, without address space only reserved."""
    if memory_mb is None:
        return
    statm = Path("/proc/self/statm")
    reserved, held = (int(n) for n in statm.read_text().split()[:2]) if statm.exists() else (0, 0)
    limit = (reserved - held) * resource.getpagesize() + (memory_mb << 20)
    with contextlib.suppress(ValueError, OSError):  # A lower hard limit is already in force.
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


if __name__ == "__main__":
    sys.exit(main())
