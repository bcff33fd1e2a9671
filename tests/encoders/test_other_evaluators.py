"""``FOLEYBENCH_EVALUATORS`` names evaluators that score in place of the packaged ones, never beside them."""

import shutil

import pytest
import torch

from foleybench import cli
from foleybench.encoders import mini_align, mini_class
from foleybench.encoders._nets.mini_nets import ClassNet, packed, read_facts
from foleybench.errors import EXIT_OK, FoleyError, WeightsMissingError
from foleybench.features.cache import feature_key
from foleybench.files import file_sha256
from foleybench.media.audio import write_wav
from foleybench.scoring.choice import choose
from foleybench.scoring.evaluate import EvalRequest, evaluate
from foleybench.scoring.weights_here import require_weights
from foleybench.shards.dataset import ShardDataset

VARIABLE = "FOLEYBENCH_EVALUATORS"
FILE = "mini_class.safetensors"
PACKAGED = mini_class.WEIGHTS.packaged_at


@pytest.fixture
def others(tmp_path):
    """A folder with another classifier, of the packaged one's names, and without an alignment classifier."""
    facts = read_facts(PACKAGED / FILE)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = ClassNet(len(facts["classes"]), len(facts["materials"]))
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / FILE).write_bytes(packed(net, facts))
    return tmp_path / "others"


@pytest.mark.parametrize("folder", ["", None])
def test_the_packaged_ones_are_taken_where_none_are_named(monkeypatch, folder):
    monkeypatch.delenv(VARIABLE, raising=False)
    if folder is not None:
        monkeypatch.setenv(VARIABLE, folder)
    assert mini_class.WEIGHTS.path == PACKAGED / FILE
    assert mini_align.WEIGHTS.path == PACKAGED / "mini_align.safetensors"


def test_a_file_that_the_folder_lacks_is_not_replaced_by_the_packaged_one(others, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(others))
    said = rf"mini_align.* at {others}/mini_align\.safetensors.*evaluators`\. {VARIABLE} is set to {others}; unset it"
    with pytest.raises(WeightsMissingError, match=said):
        mini_align.ENCODER.build("cpu")
    (others / FILE).unlink()
    with pytest.raises(WeightsMissingError, match=rf"{VARIABLE} is set to {others}") as caught:
        require_weights(choose(None, ("class_accuracy", "align_acc_mini")).metrics)
    assert str(caught.value).count(VARIABLE) == 1
    assert str(caught.value).count("mini_align.safetensors") == 1


def test_the_variable_is_not_of_other_weights(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "evaluators"))
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path / "weights"))
    with pytest.raises(WeightsMissingError, match="vggish") as caught:
        require_weights(choose(None, ("fad_vggish",)).metrics)
    assert VARIABLE not in str(caught.value)


def test_the_list_does_not_call_them_shipped(others, monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, str(others))
    assert cli.main(["weights", "list", "mini_class", "mini_align"]) == EXIT_OK
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("mini_class.safetensors: here") for line in lines)
    assert any(line.startswith("mini_align.safetensors: absent") for line in lines)
    assert lines.count("  from       made by `foleybench train evaluators`") == 2


def test_a_cluster_whose_workers_do_not_know_of_them_is_refused(clicks, others, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(others))
    asked = {"data": clicks, "audio": tmp_path, "protocol": None, "metrics": ("kld_mini",), "engine": "ray"}
    with pytest.raises(FoleyError, match=f"{VARIABLE} is set to {others}, which a Ray cluster's workers"):
        evaluate(EvalRequest(**asked, model={"name": "mine", "kind": "model"}))


def test_features_of_other_weights_have_other_keys(others, monkeypatch):
    keys = {feature_key("mini_class", mini_class.ENCODER, audio="sound")}
    monkeypatch.setenv(VARIABLE, str(others))
    keys.add(feature_key("mini_class", mini_class.ENCODER, audio="sound"))
    assert len(keys) == 2
    shutil.copy(PACKAGED / FILE, others)
    assert feature_key("mini_class", mini_class.ENCODER, audio="sound") in keys, "the file counts, not its place"


def test_a_result_is_of_the_file_that_scored_and_names_it(clicks, others, tmp_path, monkeypatch):
    """With one cache, filled by the packaged classifier first: its features are not those of another."""
    for clip in ShardDataset(clicks).clips(video=False):
        write_wav(tmp_path / "audio" / f"{clip.clip_id}.wav", clip.audio[::-1].copy(), clip.rate_hz)
    asked = {"data": clicks, "audio": tmp_path / "audio", "protocol": None, "metrics": ("kld_mini",), "resamples": 10}
    found = {}
    for name in ("packaged", "others", "others without a cache"):
        if name == "others":
            monkeypatch.setenv(VARIABLE, str(others))
        cache = None if "without" in name else tmp_path / "cache"
        result, _ = evaluate(EvalRequest(**asked, model={"name": "mine", "kind": "model"}, cache=cache))
        sha256 = result["run"]["encoders"]["mini_class"]["weights_sha256"]
        assert sha256 == file_sha256((PACKAGED if name == "packaged" else others) / FILE)
        found[name] = result["metrics"]["kld_mini"]["value"]
    assert found["packaged"] != found["others"]
    assert found["others"] == found["others without a cache"]
