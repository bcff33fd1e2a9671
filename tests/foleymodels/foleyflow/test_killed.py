"""Training is killed at any moment and goes on, in processes that are killed as a machine would."""

import json
import multiprocessing
import random
import signal
import time

import pytest

from foleybench.cli import main
from tests.foleymodels.small import SMALL

# And one before anything is trained.
N_KILLS = {"alignment": 4, "flow": 3, "head": 2}
STEPS = {"vama_steps": "80", "flow_steps": "80", "head_steps": "24", "head": "imf", "save_every_s": "0.05"}


def arguments(corpus, out):
    settings = {**SMALL, **STEPS, "cache": str(out / "cache")}
    sets = [word for item in settings.items() for word in ("--set", "=".join(item))]
    files = ["--data", str(corpus["train"]), "--val", str(corpus["val"]), "--out", str(out)]
    return ["train", "foleyflow", *files, *sets]


def newest_ns(out, stage):
    """Return when a stage, or one after it, has last saved its state."""
    stages = list(N_KILLS)[list(N_KILLS).index(stage) :]
    states = [path for path in out.glob("*/state.safetensors") if path.parent.name in stages]
    return max((path.stat().st_mtime_ns for path in states), default=0)


def kill(process, out, stage, pause_s):
    """Kill a process a while after it has saved something in a stage, or after it was started."""
    before = newest_ns(out, stage) if stage else 0
    while process.is_alive() and stage and newest_ns(out, stage) <= before:
        time.sleep(0.005)
    time.sleep(pause_s)
    assert process.is_alive(), "training ended before it was killed often enough: it needs more steps"
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.slow
def test_a_run_killed_ten_times_ends_with_the_same_bits(corpus, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    # The processes to be killed are forked from one that has imported everything: eleven imports of torch take long.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["foleymodels.foleyflow.train", "torch._dynamo"])
    unbroken = processes.Process(target=main, args=(arguments(corpus, whole),))
    unbroken.start()
    unbroken.join()
    assert unbroken.exitcode == 0
    rng = random.Random(0)
    # A stage lasts for all of its kills, whatever the speed of the machine: pauses are shares of what it took unbroken.
    measured = json.loads((whole / "metrics.json").read_text())
    moments = [
        (stage, rng.uniform(0, measured[stage]["seconds"] / 12)) for stage, n in N_KILLS.items() for _ in range(n)
    ]
    assert len(moments) == 9
    seen = []
    for stage, pause_s in [("", rng.uniform(0, 0.5)), *moments, (None, 0.0)]:
        process = processes.Process(target=main, args=(arguments(corpus, broken),))
        process.start()
        if stage is None:
            process.join()
            assert process.exitcode == 0
        else:
            kill(process, broken, stage, pause_s)
            seen.append(sorted(path.parent.name for path in broken.glob("*/state.safetensors")))
    assert {name for names in seen for name in names} == {"alignment", "flow", "head"}
    for part in (".", "alignment", "flow"):
        for name in ("model.safetensors", "config.json"):
            assert (whole / part / name).read_bytes() == (broken / part / name).read_bytes()
    for stage in ("alignment", "flow", "head"):
        assert (whole / stage / "log.jsonl").read_bytes() == (broken / stage / "log.jsonl").read_bytes()
    assert not list(broken.glob("*/state.safetensors"))
