"""The suite from end to end on a small set, and its rule by hand."""

import json

import numpy as np
import pytest

from foleybench.cli import main
from foleybench.media.audio import write_wav
from foleybench.registry import load, names
from foleybench.sanity.run import CurvePoint, SanityRequest, able, run_sanity, spread_clips
from foleybench.sanity.verdict import WITHOUT_OWN, judge_curve, own
from foleybench.sanity.write import faults, verdict_markdown, write_sanity
from foleybench.scoring.choice import choose
from foleybench.shards.folder_dataset import list_folder


def curve(*worse):
    """Points whose paired intervals are one to each side."""
    return [CurvePoint(None if i == 0 else float(i), w, None, None, w, w - 1, w + 1) for i, w in enumerate(worse)]


@pytest.mark.parametrize(
    ("worse", "kind", "since", "ordered"),
    [
        ((0, 2, 3, 4), "seen", 1.0, True),
        ((0, 0.5, 2, 4), "seen", 2.0, True),
        ((0, 2, 0.5, 4), "seen", 3.0, False),
        ((0, 2, 1.5, 4), "seen", 1.0, True),
        ((0, 5, 2, 4), "seen", 1.0, False),
        ((0, 0.1, 0.5, 0.9), "blind", None, True),
        ((0, 2, 2, 0.9), "blind", None, False),
        ((0, 0.1, -2, -3), "rewarded", None, False),
        ((0, 1.0), "blind", None, True),
        ((0, 2, float("nan")), "undefined", None, False),
    ],
)
def test_rule_by_hand(worse, kind, since, ordered):
    assert tuple(judge_curve(curve(*worse))) == (kind, since, ordered)


def test_every_metric_that_hears_is_for_something():
    for name in names("metrics"):
        hears = any(need.of == "generated" for need in load("metrics", name).needs.values())
        assert bool(own(name)) == (hears and name not in WITHOUT_OWN), name


def test_metrics_that_cannot_run_are_named():
    metrics, left_out = able(choose("synth"))
    assert "event_f1" in metrics
    assert left_out["real_time_factor"] == "it does not depend on the audio"
    assert spread_clips(["a", "b", "c"], 5) == ["a", "b", "c"]


@pytest.fixture(scope="module")
def outcome(clicks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sanity")
    request = SanityRequest(
        data=clicks, protocol="signal", work=folder / "sound", degradations=("gain", "shift"), resamples=100
    )
    return run_sanity(request), folder


@pytest.mark.slow
def test_truth_is_ideal_and_worse_is_worse(outcome):
    found, folder = outcome
    level = found.curves["level_difference"]["gain"]
    assert level[0].value == pytest.approx(0.0, abs=1e-3)
    assert [point.value for point in level] == sorted(point.value for point in level)
    assert judge_curve(level).kind == "seen"
    onsets = found.curves["onset_agreement"]["shift"]
    assert onsets[0].value == pytest.approx(1.0)
    assert onsets[-1].value < 0.6
    assert not (folder / "sound").exists()
    assert all("level_difference" not in line for line in faults(found))


@pytest.mark.slow
def test_command_writes_page_table_pictures_and_cards(clicks, tmp_path, capsys):
    words = ["sanity", "--data", str(clicks), "--degradations", "gain", "--resamples", "50", "--limit", "4"]
    code = main([*words, "--out", str(tmp_path / "out"), "--cards", str(tmp_path / "cards"), "--force"])
    found = json.loads((tmp_path / "out" / "verdicts.json").read_text())
    # Four clips have sixteen ways to flip signs: no 95 % interval leaves 0 out, so what is for levels is called blind.
    assert code == 3
    assert [line.partition(" is for ")[0] for line in found["faults"]] == ["level_difference", "loudness_difference"]
    assert capsys.readouterr().out.strip() == str(tmp_path / "out" / "index.html")
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"index.html", "sanity.md", "curves.csv", "verdicts.json", "level_difference.png"} <= made
    assert found["n_clips"] == 4
    card = (tmp_path / "cards" / "level_difference.md").read_text()
    assert "what it is for" in card
    assert (tmp_path / "cards" / "level_difference.png").read_bytes().startswith(b"\x89PNG")


def test_unknown_degradation_and_dry_run(clicks, tmp_path, capsys):
    assert main(["sanity", "--data", str(clicks), "--degradations", "rust"]) == 1
    assert "no degradation rust" in capsys.readouterr().err
    assert main(["sanity", "--data", str(clicks), "--dry-run", "--out", str(tmp_path / "x")]) == 0
    assert not (tmp_path / "x").exists()


def test_what_needs_labels_is_left_out_and_said(tmp_path):
    """A folder of audio has no classes: no swap between them, and no verdict on one."""
    rng = np.random.default_rng(0)
    for index in range(8):
        audio = rng.normal(0, 0.1, 16000).astype(np.float32)
        write_wav(tmp_path / "real" / f"audio {index}.wav", audio, 16000)
    listed = list_folder(tmp_path / "real", dataset_name="mine", home=tmp_path / "home")
    request = SanityRequest(
        data=listed.manifest,
        protocol=None,
        metrics=("level_difference",),
        work=tmp_path / "work",
        degradations=("class_swap", "gain"),
        resamples=20,
    )
    found = run_sanity(request)
    assert found.no_steps == {"class_swap": "the clips have no labels"}
    assert set(found.curves["level_difference"]) == {"gain"}
    text = verdict_markdown(found, "a test")
    assert "- Audio of another class was left out: the clips have no labels" in text
    assert "blind" not in text.split("Made by")[1].split("| Metric")[1].split("Bold")[0]
    page = write_sanity(found, tmp_path / "out", "a test").read_text(encoding="utf-8")
    assert "Audio of another class was left out: the clips have no labels" in page
