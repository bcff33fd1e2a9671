"""Processes that work together; two real ones are started in tests/foleymodels/training/test_data_parallel.py."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from foleybench.cli import main
from foleybench.errors import FoleyError
from foleybench.runtime import distributed


def test_without_a_launcher_a_run_is_one_process(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with distributed.joined("cuda:3") as device:
        assert device == "cuda:3"
        assert (distributed.rank(), distributed.world(), distributed.first()) == (0, 1, True)
        assert [distributed.agreed(value) for value in (True, False)] == [True, False]
        assert distributed.after_first(lambda: 5) == 5


def test_more_processes_than_gpus_are_named(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with (
        pytest.raises(FoleyError, match="process 1 of this machine has no GPU: there are 1"),
        distributed.joined("cuda"),
    ):
        pass


@pytest.mark.parametrize("option", [["--tensorboard"], ["--sample-every", "5"]])
@pytest.mark.parametrize("name", ["evaluators", "align-classifier"])
def test_judges_refuse_what_they_do_not_heed(name, option, tmp_path, capsys):
    assert main(["train", name, "--data", "none", "--out", str(tmp_path), *option]) == 1
    assert "one process" in capsys.readouterr().err


def test_the_first_process_alone_holds_the_run_folder(tmp_path, monkeypatch):
    held = []

    def note(folder, verb, file):
        held.append(folder)
        return contextlib.nullcontext()

    monkeypatch.setattr("foleybench.commands.train.locked", note)
    monkeypatch.setattr("foleybench.commands.train._train", lambda args: 0)
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        assert main(["train", "foleyflow", "--data", "none", "--out", str(tmp_path / rank)]) == 0
    assert held == [tmp_path / "0"]


# What torch's optimisers import in the middle of a run, and what threads are left when the run is over.
ENDS = """
import importlib
from pathlib import Path
from foleybench.runtime import distributed

with distributed.joined("cpu"):
    importlib.import_module("torch.distributed.nn.functional")
    distributed.agreed(True)
names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
assert not any("gloo" in name for name in names), names
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted as Linux tells them")
def test_no_thread_of_the_group_outlives_it(tmp_path):
    """D1: the group's threads ran into the end of the interpreter, which aborted in 4 of 12 runs."""
    script = tmp_path / "ends.py"
    script.write_text(ENDS)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root}:{root / 'models'}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *launcher, str(script)], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
