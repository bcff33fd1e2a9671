"""What a training run does beside the weights: samples, logs, what a checkpoint says, other precisions."""

import hashlib
import json

import numpy as np
import pytest
import safetensors.torch
import torch

from foleybench.cli import main
from foleybench.errors import FoleyError
from foleybench.media.audio import read_sound
from tests.foleymodels.small import PNG, SMALL, figures, train


def weights_of(folder):
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def plain(corpus, tmp_path_factory):
    return train("foleyflow", corpus, tmp_path_factory.mktemp("plain") / "run")


@pytest.mark.slow
def test_samples_and_tensorboard_leave_the_weights_alone(corpus, plain, tmp_path):
    asked = {"sample_every": 4, "tensorboard": True}
    out = train("foleyflow", corpus, tmp_path / "run", asked=asked)
    assert weights_of(out) == weights_of(plain)
    assert (out / "config.json").read_bytes() == (plain / "config.json").read_bytes()
    wavs = sorted(out.glob("samples/step-4/*.wav"))
    assert len(wavs) == 4
    assert [path.name for path in out.glob("samples/*")] == ["step-4"]
    for path in wavs:
        audio, rate_hz = read_sound(path)
        assert (len(audio), rate_hz) == (round(1.28 * 16000), 16000)
        assert np.isfinite(audio).all()
        assert path.with_suffix(".png").read_bytes().startswith(PNG)
    for stage in ("alignment", "flow"):
        assert len(list((out / stage / "tensorboard").iterdir())) == 1
    assert not list(plain.rglob("tensorboard"))
    head = train("foleyflow", corpus, tmp_path / "head", asked={"sample_every": 4}, head="imf", flow=str(plain))
    assert len(list(head.glob("samples/head/step-4/*.wav"))) == 4
    joint = train("foleyflow", corpus, tmp_path / "joint", asked={"sample_every": 4}, stage1="none")
    assert len(list(joint.glob("samples/step-4/*.wav"))) == 4


@pytest.mark.slow
def test_samples_are_drawn_with_spectrograms(corpus, plain, tmp_path):
    settings = {"alignment": str(plain / "alignment"), "flow_steps": "2"}
    out = train("foleyflow", corpus, tmp_path / "run", drawn=True, asked={"sample_every": 2}, **settings)
    sizes = [path.stat().st_size for path in out.glob("samples/step-2/*.png")]
    assert len(sizes) == 4
    assert min(sizes) > 10_000


def test_a_checkpoint_says_settings_data_and_what_was_measured(corpus, plain):
    for folder in (plain, plain / "alignment"):
        config = json.loads((folder / "config.json").read_text())
        assert config["origin"] == {"seed": 0, "data_sha256": hashlib.sha256(corpus["train"].read_bytes()).hexdigest()}
        assert config["settings"]["loop"]["precision"] == "float32"
        assert config["settings"]["alignment"]["vama_steps"] == 6
        metrics = config["metrics"]
        assert metrics["alignment"]["skipped_steps"] == 0
        assert metrics["alignment"]["loss"] > 0
        assert "usage_gap" in metrics["alignment"]
        assert "seconds" not in metrics["alignment"]
    config = json.loads((plain / "config.json").read_text())
    assert config["metrics"]["flow"]["step"] == 5
    assert config["settings"]["flow"]["flow_steps"] == 6


@pytest.mark.slow
@pytest.mark.parametrize("stage1", ["vama", "infonce", "cavp", "onset_sup", "none"])
def test_every_objective_is_trained_in_bfloat16(stage1, corpus, plain, tmp_path):
    out = train("foleyflow", corpus, tmp_path / "run", stage1=stage1, precision="bfloat16", path="gvp_learned")
    weights = safetensors.torch.load_file(out / "model.safetensors")
    assert all(value.dtype == torch.float32 and bool(value.isfinite().all()) for value in weights.values())
    assert weights_of(out) != weights_of(plain)
    assert json.loads((out / "config.json").read_text())["settings"]["loop"]["precision"] == "bfloat16"
    with pytest.raises(FoleyError, match="another precision"):
        train("foleyflow", corpus, out, stage1=stage1, path="gvp_learned")


@pytest.mark.parametrize("head", ["imf", "reflow"])
def test_every_head_is_trained_in_bfloat16(head, corpus, plain, tmp_path):
    out = train("foleyflow", corpus, tmp_path, head=head, flow=str(plain), precision="bfloat16")
    weights = safetensors.torch.load_file(out / "model.safetensors")
    assert all(value.dtype == torch.float32 and bool(value.isfinite().all()) for value in weights.values())


def test_a_run_with_adam_at_a_constant_rate_differs(corpus, plain, tmp_path):
    settings = {"alignment": str(plain / "alignment"), "optimiser": "adam", "schedule": "constant"}
    assert weights_of(train("foleyflow", corpus, tmp_path / "run", **settings)) != weights_of(plain)


@pytest.mark.slow
def test_the_command_line_takes_what_is_wanted_beside_training(corpus, plain, tmp_path, capsys):
    sets = [word for item in SMALL.items() for word in ("--set", "=".join(item))]
    files = ["--data", str(corpus["train"]), "--val", str(corpus["val"]), "--out", str(tmp_path)]
    with figures(False):
        assert main(["train", "foleyflow", *files, *sets, "--sample-every", "6", "--tensorboard"]) == 0
    assert capsys.readouterr().out == f"{tmp_path}\n"
    assert weights_of(tmp_path) == weights_of(plain)
    assert len(list(tmp_path.glob("samples/step-6/*"))) == 8
    assert len(list(tmp_path.glob("*/tensorboard/*"))) == 2
