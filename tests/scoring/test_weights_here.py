"""Missing weights are named all at once, before any work, with what gets them and what can be had without."""

import pytest

from foleybench import registry
from foleybench.cli import main
from foleybench.errors import EXIT_ERROR, EXIT_OK, WeightsMissingError
from foleybench.media.audio import write_wav
from foleybench.scoring.choice import choose
from foleybench.scoring.evaluate import EvalRequest, evaluate
from foleybench.scoring.weights_here import require_weights
from foleybench.shards.dataset import ShardDataset


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


@pytest.fixture
def audio(clicks, tmp_path):
    for clip in ShardDataset(clicks).clips(video=False):
        write_wav(tmp_path / "audio" / f"{clip.clip_id}.wav", clip.audio, clip.rate_hz)
    return tmp_path / "audio"


def test_all_that_is_missing_is_named_at_once():
    """P6: one command for all files, each file once."""
    with pytest.raises(WeightsMissingError) as caught:
        require_weights(choose("avbench").metrics)
    said = str(caught.value)
    for file in (
        "imagebind_huge.pth (4.80 GB) for imagebind_audio, imagebind_video",
        "synchformer_state_dict.pth",
        "vggish-10086976.pth (289 MB)",
        "passt-s-f128-p16-s10-ap.476-swa.pt (345 MB)",
    ):
        assert said.count(file) == 1, said
    command = said.split("Get them with `foleybench weights fetch ")[1].split("`")[0].split()
    assert {"imagebind_audio", "vggish", "passt"} <= set(command)
    assert "imagebind_video" not in command
    files = {registry.load("encoders", name).weights.filename for name in command}
    assert len(files) == len(command)


def test_what_can_be_had_without_is_named():
    """P6."""
    with pytest.raises(
        WeightsMissingError, match=r"Metrics that need none of these weights: --metric level_difference\."
    ):
        require_weights(choose(None, ("fad_vggish", "level_difference", "kld_passt")).metrics)


def test_weights_that_are_made_are_named_with_their_command():
    """P6."""
    with pytest.raises(WeightsMissingError, match="`foleybench weights fetch vggish` and `foleybench train align-cl"):
        require_weights(choose(None, ("fad_vggish", "align_acc_trained")).metrics)


def test_a_wrong_file_is_named_beside_what_is_missing(folder):
    """P6."""
    folder.mkdir()
    (folder / "vggish-10086976.pth").write_bytes(b"<html>")
    with pytest.raises(WeightsMissingError, match=r"345 MB\) for passt\. .* it is a web page\. Run `foley"):
        require_weights(choose(None, ("fad_vggish", "kld_passt")).metrics)


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_eval_names_them_before_any_work(clicks, audio, tmp_path, dry, capsys, monkeypatch):
    """P6: in a dry run, too."""
    monkeypatch.setattr("foleybench.scoring.evaluate.evaluate", lambda request: pytest.fail("work was begun"))
    words = ["eval", "--audio", str(audio), "--data", str(clicks), "--out", str(tmp_path / "out")]
    assert main([*words, "--metric", "fad_vggish", "--metric", "kld_passt", *dry]) == EXIT_ERROR
    said = capsys.readouterr().err
    assert "`foleybench weights fetch passt vggish`" in said


def test_some_metrics_of_a_protocol_are_scored_as_it_scores_them(clicks, audio, tmp_path):
    """P6: without ImageBind the rest of a protocol can be had: on its crop, marked partial; others come beside."""
    system = {"name": "mine", "kind": "model"}
    asked = {"data": clicks, "audio": audio, "model": system, "resamples": 10}
    names = choose("signal").protocol.metrics
    assert len(names) > 2
    result, _ = evaluate(EvalRequest(**asked, protocol="signal", metrics=(names[1],)))
    assert set(result["metrics"]) == {names[1]}
    assert result["protocol"]["name"] == "signal"
    assert result["status"] == "partial"
    whole, _ = evaluate(EvalRequest(**asked, protocol="signal"))
    assert whole["metrics"][names[1]]["value"] == result["metrics"][names[1]]["value"]
    beside = choose("signal", ("event_f1",))
    assert set(beside.metrics) == {*names, "event_f1"}
    assert beside.left_out == ()
    both = choose("signal", (names[1], "event_f1"))
    assert set(both.metrics) == {names[1], "event_f1"}
    assert both.left_out == tuple(name for name in names if name != names[1])


def test_a_choice_that_can_be_had_runs(clicks, audio, tmp_path):
    """P6: what the message offers is what works."""
    words = ["eval", "--audio", str(audio), "--name", "mine", "--data", str(clicks), "--out", str(tmp_path / "out")]
    more = ["--jobs", "1", "--resamples", "10", "--cache", str(tmp_path / "cache")]
    assert main([*words, *more, "--metric", "level_difference"]) == EXIT_OK
