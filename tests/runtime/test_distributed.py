"""Processes that work together; two real ones are started in tests/foleymodels/training/test_data_parallel.py."""

import contextlib

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
