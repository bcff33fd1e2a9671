"""A trained flow whose weights went wrong: refused when it is read, and never silence."""

import json
import shutil

import pytest
import torch

from foleybench import cli
from foleybench.errors import EXIT_ERROR, WrongWeightsError
from foleymodels._parts import checkpoint
from tests.foleymodels.small import train


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    return train("unconditional", corpus, tmp_path_factory.mktemp("trained") / "run")


def rewrite(folder, tensors):
    """Put other weights into a checkpoint, as if they had been trained."""
    path = folder / checkpoint.CONFIG
    config = json.loads(path.read_text())
    kept = {key: value for key, value in config.items() if key not in ("kind", "tensors_sha256")}
    checkpoint.write_checkpoint(folder, config["kind"], tensors, kept)


def generate(folder, corpus, out):
    words = ["--model", "unconditional", "--checkpoint", str(folder), "--data", str(corpus["val"]), "--limit", "2"]
    return cli.main(["generate", *words, "--out", str(out)])


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), 1e30])
def test_refused_before_any_sound(trained, corpus, tmp_path, factor, capsys):
    """W3: the smallest input of the fault: all weights NaN, or a factor of 1e30."""
    folder = shutil.copytree(trained, tmp_path / "run")
    tensors = {
        name: value * factor if value.is_floating_point() else value
        for name, value in checkpoint.read_tensors(folder / checkpoint.WEIGHTS).items()
    }
    rewrite(folder, tensors)
    assert generate(folder, corpus, tmp_path / "out") == EXIT_ERROR
    assert "the weights in" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*.wav"))


def test_weights_that_pass_and_make_no_sound_are_not_finite(trained, corpus, tmp_path, capsys):
    """W3: every number looks fine, what comes of them does not: exit 1, no file, no silence."""
    folder = shutil.copytree(trained, tmp_path / "run")
    tensors = checkpoint.read_tensors(folder / checkpoint.WEIGHTS)
    grown = {
        name: value * 1e5 if value.is_floating_point() and value.abs().max() < 10 else value
        for name, value in tensors.items()
    }
    rewrite(folder, grown)
    assert generate(folder, corpus, tmp_path / "out") == EXIT_ERROR
    assert "made no audio for any of the first 2 clips" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*.wav"))


def test_a_state_to_go_on_from_carries_a_hash_too(tmp_path):
    """W3: a training run that was stopped does not go on from changed numbers."""
    path = tmp_path / "state.safetensors"
    checkpoint.write_tensors(path, {"module.a": torch.ones(3)}, {"step": 3}, entry="run")
    tensors, facts = checkpoint.read_with_facts(path)
    assert facts["step"] == 3
    assert torch.equal(tensors["module.a"], torch.ones(3))
    path.write_bytes(path.read_bytes()[:-4] + torch.full((1,), 2.0).numpy().tobytes())
    with pytest.raises(WrongWeightsError, match="not those that were written"):
        checkpoint.read_with_facts(path)
