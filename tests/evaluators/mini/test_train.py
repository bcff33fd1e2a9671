"""Training of the mini evaluators on a toy corpus: flashes with clicks."""

import numpy as np
import pytest
import torch

from foleybench.api.encoder import Signal
from foleybench.api.weights import Weights
from foleybench.encoders import mini_align, mini_class
from foleybench.encoders._nets.mini_nets import AlignNet, ClassNet, packed, read_facts, unpack
from foleybench.errors import FoleyError, WeightsMissingError
from foleybench.evaluators.mini import train_evaluators
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import read_manifest

FILES = ("mini_class.safetensors", "mini_align.safetensors")


@pytest.fixture(scope="module")
def toy(tmp_path_factory, make_clicks):
    folder = tmp_path_factory.mktemp("toy")
    return make_clicks(folder, 12, split="train"), make_clicks(folder, 4, split="val")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, toy):
    out = tmp_path_factory.mktemp("mini")
    before = torch.get_rng_state(), torch.get_num_threads()
    measured = train_evaluators(toy[0], toy[1], out, seed=3, steps=2)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]
    return out, measured


@pytest.mark.slow
def test_files_say_what_they_are(trained, toy):
    out, measured = trained
    for file in FILES:
        facts = read_facts(out / file)
        assert facts["kind"] == file.split(".")[0]
        assert facts["classes"] == ["bounce_bar", "hammer_bell"]
        assert facts["materials"] == []
        assert facts["seed"] == 3
        assert facts["data"]["manifest_sha256"] == read_manifest(toy[0]).sha256
        assert facts["data"]["n_clips"] == 12
        assert facts["validation"] == {name: round(value, 4) for name, value in measured.items()}
    assert sum((out / file).stat().st_size for file in FILES) < 4_000_000


@pytest.mark.slow
def test_everything_that_was_promised_is_measured(trained):
    _, measured = trained
    assert {"class_accuracy_clean", "class_f1_vocoded", "aligned_true", "aligned_shifted_0.1"} <= set(measured)
    assert all(0.0 <= value <= 1.0 for value in measured.values())


@pytest.mark.slow
def test_same_seed_same_bytes_other_seed_other_bytes(trained, toy, tmp_path):
    out, _ = trained
    train_evaluators(toy[0], toy[1], tmp_path / "again", seed=3, steps=2)
    train_evaluators(toy[0], None, tmp_path / "other", seed=4, steps=1)
    for file in FILES:
        assert (tmp_path / "again" / file).read_bytes() == (out / file).read_bytes()
        assert (tmp_path / "other" / file).read_bytes() != (out / file).read_bytes()


def test_only_the_train_split_is_taken(toy, tmp_path):
    with pytest.raises(FoleyError, match="trained on `train` only"):
        train_evaluators(toy[1], None, tmp_path, seed=0, steps=1)
    assert list(tmp_path.iterdir()) == []


def test_one_class_is_refused(make_clicks, tmp_path):
    with pytest.raises(FoleyError, match="has 1 class"):
        train_evaluators(make_clicks(tmp_path, 1, split="train"), None, tmp_path, seed=0, steps=1)


def test_clips_that_are_too_short_are_refused(make_clicks, tmp_path):
    manifest = make_clicks(tmp_path, 2, split="train", duration_s=0.8)
    with pytest.raises(FoleyError, match=r"has 0\.8 s"):
        train_evaluators(manifest, None, tmp_path, seed=0, steps=1)


def forget_names():
    mini_class.mini_class_names.cache_clear()
    mini_class.mini_material_names.cache_clear()


def look_in(folder, monkeypatch):
    """Have the encoders look for their files in a folder."""
    monkeypatch.setattr(Weights, "path", property(lambda weights: folder / weights.filename))


@pytest.fixture
def use_trained(trained, monkeypatch):
    out, _ = trained
    look_in(out, monkeypatch)
    forget_names()
    yield
    forget_names()


@pytest.mark.slow
@pytest.mark.usefixtures("use_trained")
def test_encoders_run_on_what_was_trained(toy):
    clips = list(ShardDataset(toy[1]).clips())
    signals = [
        Signal(audio=clip.audio, duration_s=2.0, frames=clip.frames, frame_times_s=clip.frame_times_s) for clip in clips
    ]
    assert mini_class.mini_class_names() == ("bounce_bar", "hammer_bell")
    for features in mini_class.ENCODER.build("cpu")(signals):
        assert features["logits"].shape == (2,)
        assert features["material_logits"].shape == (0,)
        assert features["embedding"].shape == (32,)
    for features in mini_align.ENCODER.build("cpu")(signals):
        assert features["probability"].shape == ()
        assert 0.0 <= features["probability"] <= 1.0


def test_a_pair_without_a_picture_is_refused(tmp_path, monkeypatch):
    (tmp_path / mini_align.WEIGHTS.filename).write_bytes(packed(AlignNet(), {"kind": "mini_align"}))
    look_in(tmp_path, monkeypatch)
    with pytest.raises(FoleyError, match="no frames to encode"):
        mini_align.ENCODER.build("cpu")([Signal(audio=np.zeros(16000, np.float32), duration_s=1.0)])


def test_absent_files_name_the_training_command(tmp_path, monkeypatch):
    look_in(tmp_path, monkeypatch)
    forget_names()
    for module in (mini_class, mini_align):
        with pytest.raises(WeightsMissingError, match="foleybench train evaluators"):
            module.ENCODER.build("cpu")


def test_files_of_others_are_refused(tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(FoleyError, match="is not a safetensors file"):
        read_facts(path)
    path.write_bytes(packed(ClassNet(3, 0), {"kind": "mini_class"}))
    with pytest.raises(FoleyError, match=r"classify\.weight of shape \(3, 32\) instead of \(4, 32\)"):
        unpack(ClassNet(3, 1), path)
    with pytest.raises(FoleyError, match="lacks sound"):
        unpack(AlignNet(), path)
