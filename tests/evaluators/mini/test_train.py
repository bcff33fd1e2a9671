"""Training of the mini evaluators on a toy corpus: flashes with clicks."""

import dataclasses
import functools

import numpy as np
import pytest
import torch

from foleybench import cli
from foleybench.api.encoder import Signal
from foleybench.api.weights import Weights
from foleybench.encoders import mini_align, mini_class
from foleybench.encoders._nets.mini_nets import AlignNet, ClassNet, packed, read_facts, unpack
from foleybench.errors import EXIT_ERROR, EXIT_OK, FoleyError, WeightsMissingError
from foleybench.evaluators import mini
from foleybench.evaluators.mini import fit_align, fit_class, train_evaluators
from foleybench.evaluators.mini.material import gather, joined_material
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


@pytest.fixture(scope="module")
def faster(tmp_path_factory, make_clicks):
    """A further split of the toy corpus, of the same classes and length."""
    return make_clicks(tmp_path_factory.mktemp("faster"), 6, split="heldout_tempo")


def test_further_splits_join_the_first(toy, faster):
    first = gather(toy[0], seed=3)
    other = gather(faster, seed=5, like=first)
    other = dataclasses.replace(
        other, labels=np.zeros_like(other.labels), sounding=~other.sounding, has_onsets=~other.has_onsets
    )
    both = joined_material({toy[0]: first, faster: other})
    assert len(both) == 12 + 6
    assert (both.classes, both.materials, both.seconds) == (first.classes, first.materials, 2.0)
    arrays = [field.name for field in dataclasses.fields(both) if isinstance(getattr(both, field.name), np.ndarray)]
    assert len(arrays) == 6
    for name in arrays:
        np.testing.assert_array_equal(getattr(both, name)[:12], getattr(first, name), err_msg=name)
        np.testing.assert_array_equal(getattr(both, name)[12:], getattr(other, name), err_msg=name)


def test_evaluators_learn_from_further_splits_and_name_them(trained, toy, faster, tmp_path, monkeypatch):
    learned = {}
    for module, fit in ((fit_class, "fit_mini_class"), (fit_align, "fit_mini_align")):
        monkeypatch.setattr(module, fit, functools.partial(fitted_at_once, learned, fit, getattr(module, fit)))
    train_evaluators(toy[0], toy[1], tmp_path, seed=3, steps=2, also=[faster])
    assert learned == {"fit_mini_class": 18, "fit_mini_align": 18}
    manifest = read_manifest(faster)
    stated = {"dataset": manifest.header.dataset, "version": manifest.header.version, "split": "heldout_tempo"}
    for file in FILES:
        facts = read_facts(tmp_path / file)
        assert facts["also"] == [{**stated, "manifest_sha256": manifest.sha256, "n_clips": 6}]
        without = read_facts(trained[0] / file)
        assert facts["data"] == without["data"]
        assert "also" not in without


def fitted_at_once(learned, name, fit, material, *, steps, rng):
    learned[name] = len(material)
    return fit(material, steps=1, rng=rng)


@pytest.mark.parametrize("split", ["test", "val"])
def test_splits_that_are_scored_are_no_further_splits(toy, make_clicks, tmp_path, split):
    scored = make_clicks(tmp_path, 2, split=split)
    with pytest.raises(FoleyError, match=f"is the split '{split}', which is scored"):
        train_evaluators(toy[0], None, tmp_path / "out", seed=0, steps=1, also=[scored])
    assert not (tmp_path / "out").exists()


def test_a_split_given_twice_is_refused(toy, faster, tmp_path):
    for also in ([faster, faster], [toy[0]]):
        with pytest.raises(FoleyError, match="this split is given twice"):
            train_evaluators(toy[0], None, tmp_path, seed=0, steps=1, also=also)


def test_clips_of_another_length_are_refused(toy, make_clicks, tmp_path):
    shorter = make_clicks(tmp_path, 2, split="heldout_fps", duration_s=1.5)
    with pytest.raises(
        FoleyError, match=r"heldout_fps.manifest.jsonl gives clips of 1\.5 s, .* of 2 s; .* Leave it out"
    ):
        train_evaluators(toy[0], None, tmp_path / "out", seed=0, steps=1, also=[shorter])


def test_the_command_takes_further_splits_for_evaluators_alone(toy, faster, tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(mini, "train_evaluators", lambda *given: asked.append(given) or {"aligned_true": 0.5})
    words = ["--data", str(toy[0]), "--also", str(faster), str(toy[1]), "--out", str(tmp_path)]
    assert cli.main(["train", "evaluators", *words]) == EXIT_OK
    assert asked == [(toy[0], None, tmp_path, 0, None, [faster, toy[1]])]
    told = capsys.readouterr()
    assert told.err.splitlines()[-1] == f"score with: FOLEYBENCH_EVALUATORS={tmp_path} foleybench eval ..."
    for model in ("align-classifier", "copying-index", "foleyflow"):
        for dry in ([], ["--dry-run"]):
            assert cli.main(["train", model, *words, *dry]) == EXIT_ERROR
            assert f"--also {faster}, {toy[1]}: {model} learns from --data alone" in capsys.readouterr().err


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
