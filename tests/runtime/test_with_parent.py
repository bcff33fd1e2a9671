"""Nothing that was started outlives the one that started it, however it ends."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Most end within a second; a machine with other work takes a minute or more. Children that nobody ends work on past it.
LIMIT_S = 300.0
SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT]

# Whoever runs the tests may have had these ignored (nohup, a job in the background), and what is ignored stays so.
AS_USUAL = """
import signal
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
"""
# Each starts children that work for ten minutes, tells their numbers, and works on.
POOL = """
import os, sys, time
from foleybench.runtime.worker_processes import worker_processes

def work(seconds):
    os.write(1, f"{os.getpid()}\\n".encode())  # at once: two children share the pipe
    end = time.monotonic() + seconds
    while time.monotonic() < end:  # holds the lock of the interpreter most of the time
        sum(range(1000))

if __name__ == "__main__":
    with worker_processes(2) as pool:
        for future in [pool.submit(work, 600) for _ in range(4)]:
            future.result()
"""
LOADER = """
import os, time
from foleybench.shards.loader import ClipLoader
from foleybench.shards.stream import ShardStream

def slow(sample):
    os.write(1, f"{{os.getpid()}}\\n".encode())  # at once: two children share the pipe
    time.sleep(600)

if __name__ == "__main__":
    list(ClipLoader(ShardStream({data!r}), batch_size=1, num_workers=2, decode=slow))
"""
PLAN = """
import sys
from pathlib import Path
import foleybench.runtime.command_plan as plan

if __name__ == "__main__":
    here = Path({out!r})
    steps = [plan.Step(name=name, words=("generate", "--model", f"{{here}}/slow.py:MODEL", "--data", {data!r},
             "--out", f"{{here}}/{{name}}", "--device", "cpu")) for name in ("a", "b")]
    plan.run_steps(steps, here, 2)
"""
SLOW = """
import os, time
from foleybench.api.model import Model

def build(context):
    with open({log!r}, "a") as log:
        log.write(f"{{os.getpid()}}\\n")
    time.sleep(600)

MODEL = Model(title="Slow", kind="model", sees=frozenset({{"video"}}), licence="MIT", description="Slow.", build=build)
"""


def start(tmp_path, code, **words):
    script = tmp_path / "parent.py"
    script.write_text(AS_USUAL + (code.format(**words) if words else code))
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'models'}", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def numbers_from(lines):
    """The numbers of the two children, as they tell them."""
    found = set()
    while len(found) < 2:
        line = next(lines, "")
        assert line, "the children did not start"
        found.add(int(line))
    return found


def numbers_in(log):
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found = {int(line) for line in log.read_text().splitlines()} if log.exists() else set()
        if len(found) == 2:
            return found
        time.sleep(0.1)
    raise AssertionError("the children did not start")


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def left_after(pids, limit_s=LIMIT_S):
    end = time.monotonic() + limit_s
    while time.monotonic() < end and any(map(is_running, pids)):
        time.sleep(0.05)
    left = [pid for pid in pids if is_running(pid)]
    for pid in left:  # the test fails; the tests after it shall not run beside them
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return left


def ended_by(parent, pids, how):
    """End the parent alone and return which children run on when the limit is over, and what was said."""
    assert all(map(is_running, pids))
    parent.send_signal(how)
    left = left_after(pids)
    _, said = parent.communicate(timeout=LIMIT_S)
    assert not is_running(parent.pid)
    return left, said


@pytest.mark.slow
@pytest.mark.parametrize("how", SIGNALS)
def test_workers_of_a_pool_end_with_their_parent(tmp_path, how):
    """D2."""
    with start(tmp_path, POOL) as parent:
        left, said = ended_by(parent, numbers_from(parent.stdout), how)
    assert not left
    assert "terminate called" not in said


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_so_they_do_where_the_system_cannot_be_asked(tmp_path, how):
    """D2: the script is the children's main module, too, so they take the system for another."""
    with start(tmp_path, f"import sys\nsys.platform = 'another'\n{POOL}") as parent:
        left, said = ended_by(parent, numbers_from(parent.stdout), how)
    assert not left
    assert "terminate called" not in said


@pytest.mark.slow
@pytest.mark.parametrize("how", SIGNALS)
def test_readers_of_a_loader_end_with_their_parent(tmp_path, clicks, how):
    """D2."""
    with start(tmp_path, LOADER, data=str(clicks)) as parent:
        left, said = ended_by(parent, numbers_from(parent.stdout), how)
    assert not left
    assert "terminate called" not in said


@pytest.mark.slow
@pytest.mark.parametrize("how", SIGNALS)
def test_steps_of_a_plan_end_with_their_parent(tmp_path, clicks, how):
    """D2."""
    log = tmp_path / "log"
    (tmp_path / "slow.py").write_text(SLOW.format(log=str(log)))
    with start(tmp_path, PLAN, out=str(tmp_path), data=str(clicks)) as parent:
        left, _ = ended_by(parent, numbers_in(log), how)
    assert not left


def children_of(pid):
    """All processes below one, that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            found += [int(stat.parent.name), *children_of(int(stat.parent.name))]
    return found


EVAL = """
import sys
from foleybench.cli import main
from foleybench.scoring import scorer

scorer.CHUNK = 1  # so that few clips are work for two

if __name__ == "__main__":
    sys.exit(main({words!r}))
"""
PEAK = """
import os
import time
import numpy as np
from foleybench.api.metric import Metric, Need

def per_clip(view):
    os.write(1, b"scoring\\n")  # at once: two workers write to one pipe
    time.sleep(600)
    return np.zeros(1)

METRIC = Metric(title="T", undefined="", version=1, unit="1", better="higher", ideal=1.0, source="-", needs={{}},
                per_clip=per_clip, pool=lambda stats: 0.0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [*SIGNALS, "Ctrl-C"])
def test_eval_leaves_nothing_behind(tmp_path, clicks, how):
    """D2: the smallest input of the fault, `eval --jobs 2`; Ctrl-C reaches the whole group of processes."""
    (tmp_path / "metric.py").write_text(PEAK.format())
    words = [
        "eval",
        "--controls",
        "--metric",
        f"{tmp_path}/metric.py:METRIC",
        "--data",
        str(clicks),
        "--jobs",
        "2",
        "--device",
        "cpu",  # nothing here needs torch, which every process would import for seconds
        "--out",
        str(tmp_path / "out"),
        "--work",
        str(tmp_path / "work"),
        "--cache",
        str(tmp_path / "cache"),
    ]
    script = tmp_path / "parent.py"
    script.write_text(AS_USUAL + EVAL.format(words=words))
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'models'}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(script)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(command, env=environment, **pipes) as parent:
        assert [parent.stdout.readline() for _ in range(2)] == ["scoring\n"] * 2
        pids = children_of(parent.pid)
        assert len(pids) >= 2
        if how == "Ctrl-C":
            os.killpg(parent.pid, signal.SIGINT)
        else:
            parent.send_signal(how)
        left = left_after(pids)
        _, said = parent.communicate(timeout=LIMIT_S)
    assert not left
    assert "terminate called" not in said
    assert "Traceback" not in said
    if how in ("Ctrl-C", signal.SIGINT):
        assert parent.returncode == 130
        assert "interrupted; the same command goes on from here" in said
