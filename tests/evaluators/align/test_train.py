"""Training of an alignment classifier on a toy corpus: flashes with clicks."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from foleybench import registry
from foleybench.api.encoder import Signal
from foleybench.cli import main
from foleybench.encoders import align_trained
from foleybench.encoders._nets.mini_nets import AlignNet, packed, read_facts
from foleybench.errors import FoleyError
from foleybench.evaluators.align import fit, train_align_classifier
from foleybench.evaluators.align.fit import MIX, AlignRecipe
from foleybench.evaluators.align.pool import Pools
from foleybench.evaluators.align.train import CHECKPOINT, align_recipe
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import read_manifest

RECIPE = AlignRecipe(steps=4, batch=4, window_s=1.0, pool=4, seed=3)
FILE = align_trained.WEIGHTS.filename


@pytest.fixture(scope="module")
def toy(tmp_path_factory, make_clicks):
    folder = tmp_path_factory.mktemp("toy")
    return make_clicks(folder, 7, split="train"), make_clicks(folder, 3, split="val")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, toy):
    out = tmp_path_factory.mktemp("run")
    before = torch.get_rng_state()
    measured = train_align_classifier(*toy, out, RECIPE)
    assert torch.equal(torch.get_rng_state(), before)
    return out, measured


@pytest.mark.slow
def test_the_file_says_what_it_is(trained, toy):
    out, measured = trained
    facts = read_facts(out / FILE)
    assert facts["recipe"] == dataclasses.asdict(RECIPE)
    assert facts["data"]["manifest_sha256"] == read_manifest(toy[0]).sha256
    assert facts["data"]["n_clips"] == 7
    assert "recalled" in facts["mix"]["origin"]
    assert set(measured) == {
        *("aligned_true", "aligned_shifted_0.1", "aligned_shifted_0.5", "aligned_shifted_1.0", "aligned_shifted_2.0"),
        *("aligned_swapped", "accuracy"),
    }
    assert {key: facts["validation"][key] for key in measured} == {k: round(v, 4) for k, v in measured.items()}
    assert sum(MIX.values()) == 1.0
    assert MIX["true"] == 0.5


@pytest.mark.slow
def test_a_run_that_was_killed_ends_with_the_same_bytes(trained, toy, tmp_path, monkeypatch):
    monkeypatch.setattr(fit, "CHECKPOINT_EVERY", 2)
    monkeypatch.setattr(fit, "STEPS_PER_ROUND", 2)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train_align_classifier(*toy, whole, RECIPE)
    steps, loss = [], fit._loss

    def killed(*given):
        steps.append(1)
        if len(steps) == 4:
            raise KeyboardInterrupt
        return loss(*given)

    monkeypatch.setattr(fit, "_loss", killed)
    with pytest.raises(KeyboardInterrupt):
        train_align_classifier(*toy, broken, RECIPE)
    assert not (broken / FILE).exists()
    train_align_classifier(*toy, broken, RECIPE)
    assert len(steps) == 4 + 2  # it went on from step 2
    assert (broken / FILE).read_bytes() == (whole / FILE).read_bytes()
    with pytest.raises(FoleyError, match="other settings or other data"):
        train_align_classifier(*toy, broken, dataclasses.replace(RECIPE, rate=1e-4))
    (broken / CHECKPOINT).write_bytes(b"no checkpoint")
    with pytest.raises(FoleyError, match="cannot be read"):
        train_align_classifier(*toy, broken, RECIPE)
    train_align_classifier(*toy, broken, RECIPE, force=True)
    assert (broken / FILE).read_bytes() == (whole / FILE).read_bytes()


def _sums(pools, rounds):
    return sorted(float(sound.astype(float).sum()) for number in rounds for sound in pools.of_round(number).sounds)


def test_every_clip_is_in_one_pool_of_a_round_and_none_is_alone(toy):
    pools = Pools(toy[0], size=2, seed=0)
    assert pools.n_clips == 7
    sizes = [len(pools.of_round(number)) for number in range(3)]
    assert sum(sizes) == 7
    assert min(sizes) >= 2
    sums = [_sums(pools, range(3 * epoch, 3 * epoch + 3)) for epoch in (0, 1)]
    assert sums[0] == sums[1]
    assert len(set(sums[0])) == 7
    everything = Pools(toy[0], size=50, seed=0)
    assert everything.of_round(5) is everything.of_round(0)


def test_silence_at_an_end_is_no_clue():
    """Real audio gets silence as long and as often as shifted ones get, before or after."""
    sound = np.zeros((64, 400), dtype=np.float32)
    blank = [fit._blanked(sound, np.random.default_rng(seed)) for seed in range(400)]
    lengths = np.array([int((one[0] == -1).sum()) for one in blank])
    assert 160 < np.count_nonzero(lengths) < 240
    assert lengths[lengths > 0].min() >= 10
    assert 150 < lengths.max() <= 200
    before = sum(one[0, 0] == -1 for one in blank)
    assert 0.3 < before / np.count_nonzero(lengths) < 0.7


def test_settings_are_checked():
    assert align_recipe("tiny", seed=1, steps=7, settings={"scale": "2", "rate": "1e-3"}) == AlignRecipe(
        steps=7, seed=1, scale=2, rate=1e-3
    )
    for settings, message in (
        ({"width": "3"}, "no such setting"),
        ({"seed": "3"}, "no such setting"),
        ({"scale": "wide"}, "wants a number"),
        ({"pool": "0"}, "positive"),
        ({"n_heads": "5"}, "cannot be split"),
    ):
        with pytest.raises(FoleyError, match=message):
            align_recipe("tiny", seed=0, steps=None, settings=settings)
    with pytest.raises(FoleyError, match="sizes tiny, base"):
        align_recipe("paper", seed=0, steps=None, settings={})


def test_what_cannot_be_trained_on_is_refused(clicks, make_clicks, tmp_path):
    with pytest.raises(FoleyError, match="test split"):
        train_align_classifier(clicks, None, tmp_path, RECIPE)
    with pytest.raises(FoleyError, match="at least two"):
        train_align_classifier(make_clicks(tmp_path, 1, split="train"), None, tmp_path, RECIPE)


@pytest.mark.slow
def test_the_encoder_runs_on_what_was_trained(trained, toy, monkeypatch):
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(trained[0]))
    signals = [
        Signal(audio=clip.audio, duration_s=2.0, frames=clip.frames, frame_times_s=clip.frame_times_s)
        for clip in ShardDataset(toy[1]).clips()
    ]
    encode = align_trained.ENCODER.build("cpu")
    together = encode(signals)
    for one, features in zip(signals, together, strict=True):
        assert features["probability"].shape == ()
        np.testing.assert_array_equal(features["probability"], encode([one])[0]["probability"])


@pytest.mark.parametrize(
    "sizes", [None, {"n_follow": 24}, {"n_follow": 24, "n_heads": 4, "n_kind": 16, "scale": 10**6}]
)
def test_files_of_another_kind_are_refused(sizes, tmp_path):
    path = tmp_path / FILE
    path.write_bytes(packed(AlignNet(), {"kind": "align_classifier", "net": sizes}))
    with pytest.raises(FoleyError, match="no alignment classifier"):
        align_trained.load_weights(path)


def test_it_never_shares_a_column_with_the_published_one():
    for name in registry.names("protocols"):
        assert not {"align_acc", "align_acc_trained"} <= set(registry.load("protocols", name).metrics)


@pytest.mark.slow
def test_command_then_eval(toy, clicks, tmp_path, monkeypatch, capsys):
    words = ["train", "align-classifier", "--data", str(toy[0]), "--out", str(tmp_path / "run"), "--steps", "2"]
    assert main([*words, "--set", "pool=4", "--val", str(toy[1])]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "run")
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path / "run"))
    made = [
        "--data",
        str(clicks),
        "--protocol",
        "align_trained",
        "--out",
        str(tmp_path / "results"),
        "--resamples",
        "20",
    ]
    code = main(
        ["eval", "--model", "ground_truth", "--work", str(tmp_path / "audio"), "--cache", str(tmp_path / "c"), *made]
    )
    assert code == 0
    result = json.loads(next((tmp_path / "results").rglob("*.json")).read_text())
    assert 0 <= result["metrics"]["align_acc_trained"]["value"] <= 100
    assert result["run"]["encoders"]["align_trained"]["weights_sha256"]
