"""A plan of a training that would be refused for what is trained already ends before anything runs."""

import dataclasses

import pytest
import torch

from foleybench.cli import main
from foleybench.errors import EXIT_ERROR, EXIT_OK
from foleybench.files import write_atomically
from foleybench.reproduce.build import steps_of
from foleybench.reproduce.plan import Setup
from foleybench.runtime import command_plan
from foleybench.runtime.command_plan import mark_of
from foleymodels._codecs.settings import CodecStageSettings
from foleymodels._parts.checkpoint import write_checkpoint
from foleymodels._parts.settings import of_size, replaced


def codec_at(folder, **changed):
    settings = replaced(of_size(CodecStageSettings, "tiny"), **changed)
    write_checkpoint(folder, "residual_codec", {"x": torch.zeros(1)}, {"settings": dataclasses.asdict(settings)})


@pytest.fixture
def planned(tmp_path):
    return ["reproduce", "table1", "--seeds", "1", "--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")]


def mark(tmp_path, name):
    setup = Setup(work=tmp_path / "work", results=tmp_path / "out" / "results", seeds=1)
    step = next(step for step in steps_of(setup, ["table1"]) if step.name == name)
    write_atomically(mark_of(setup.work, name), step.command.encode())


def test_a_part_of_other_settings_ends_the_plan(planned, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command_plan, "run_steps", lambda *plan, **more: pytest.fail("the plan was run"))
    codec = tmp_path / "work" / "runs" / "codec-tiny-seed0" / "codec"
    codec_at(codec)
    assert main([*planned, "--dry-run"]) == EXIT_OK
    codec_at(codec, codebook_size=128)
    capsys.readouterr()
    for more in ([], ["--dry-run"]):
        assert main([*planned, *more]) == EXIT_ERROR
        told = f"step codec-tiny-seed0: the codec in {codec} was trained with codebook_size=128"
        assert told in capsys.readouterr().err
    mark(tmp_path, "codec-tiny-seed0")
    assert main([*planned, "--dry-run"]) == EXIT_ERROR
    assert f"step foleygen-tiny-seed0: the codec in {codec} was trained with" in capsys.readouterr().err
    for name in ("foleygen", "maskvat", "vab", "vatt"):
        mark(tmp_path, f"{name}-tiny-seed0")
    assert main([*planned, "--dry-run"]) == EXIT_OK  # what is done is not trained again


def test_a_dry_run_of_a_training_says_what_the_training_would(tmp_path, capsys):
    words = ["train", "maskvat", "--data", str(tmp_path / "nowhere"), "--out", str(tmp_path / "run"), "--dry-run"]
    codec_at(tmp_path / "codec", codebook_size=128)
    assert main(words) == EXIT_OK
    assert main([*words, "--set", f"codec={tmp_path / 'codec'}"]) == EXIT_ERROR
    assert "was trained with codebook_size=128, this run wants 256" in capsys.readouterr().err
    assert main(["train", "evaluators", *words[2:]]) == EXIT_OK
    assert main(["train", "maskvatt", *words[2:]]) != EXIT_OK
