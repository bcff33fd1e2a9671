"""``foleybench eval --reference``: one command, what it says, where it writes, what it refuses."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from foleybench import registry
from foleybench.artefacts import result as results
from foleybench.cli import main
from foleybench.commands._result_text import _together, tell
from foleybench.errors import EXIT_ERROR, EXIT_OK, EXIT_PARTIAL
from foleybench.media.audio import read_sound, write_wav
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.folder_dataset import open_dataset
from tests.made_media import click, pictures, write_video

RATE_HZ = 16000
METRICS = ["--metric", "level_difference", "--metric", "silence_share"]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A working folder with three real videos and as many sounds under their names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOLEYBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FOLEYBENCH_WEIGHTS", str(tmp_path / "weights"))
    for index, name in enumerate(["my dog", "-dash", "敲门声"]):
        write_video(tmp_path / "real clips" / f"{name}.mp4", pictures(30), audio=click(0.2 + 0.2 * index, 1.2))
        tone = 0.3 * np.sin(np.arange(round(1.2 * RATE_HZ)) * 0.1 * (index + 1))
        write_wav(tmp_path / "my outputs" / f"{name}.wav", tone.astype(np.float32), RATE_HZ)
    return tmp_path


def evaluate(*words: str) -> int:
    return main(["eval", *words, "--resamples", "20", "--jobs", "1"])


FOLDERS = ("--audio", "my outputs", "--reference", "real clips")


def test_one_command_scores_two_folders(here, capsys):
    assert evaluate(*FOLDERS) == EXIT_OK
    said = capsys.readouterr()
    path = Path(said.out.strip())
    assert path.parent == Path("leaderboards/results/real-clips")
    result = results.read_result(path)
    assert result["model"]["name"] == "my-outputs"
    assert (result["status"], result["protocol"]["name"], result["dataset"]["n_scored"]) == ("complete", "signal", 3)
    lines = said.err.splitlines()
    assert "3 real clips, 3 with generated audio" in lines
    assert "  my dog.mp4 is clip my-dog" in lines
    assert next(
        line for line in lines if line.startswith("protocol signal: the richest that runs here; protocol foleybench")
    )
    assert "  foleybench eval --controls --reference 'real clips'" in lines
    assert "SECONDS" not in said.err
    assert sorted(path.name for path in (here / "real clips").iterdir()) == ["-dash.mp4", "my dog.mp4", "敲门声.mp4"]


def test_shorter_audio_is_told_why_it_has_no_rank_and_what_to_do(here, capsys):
    """P4."""
    for path in (here / "my outputs").glob("*.wav"):
        write_wav(path, read_sound(path)[0][: round(0.9 * RATE_HZ)], RATE_HZ)
    assert evaluate(*FOLDERS, *METRICS) == EXIT_PARTIAL
    told = capsys.readouterr().err
    why = "3 of 3 audio files last less than 95 % of what is scored of their clip"
    assert f"  partial: such a result is shown, and never ranked, since {why}\n" in told
    assert "(`--protocol avbench`: the first 8 s)" in told
    assert "  foleybench prepare folder 'real clips' --clip-seconds SECONDS --out shards/shorter\n" in told


def test_a_set_of_sound_alone_and_dry_runs(here, capsys):
    assert evaluate("--audio", "my outputs", "--reference", "my outputs", "--dry-run") == EXIT_OK
    assert "would score my outputs on my outputs under signal" in capsys.readouterr().err
    assert not (here / "leaderboards").exists()
    assert evaluate("--audio", "my outputs", "--reference", "my outputs") == EXIT_PARTIAL
    result = results.read_result(Path(capsys.readouterr().out.strip()))
    assert result["metrics"]["logmel_distance"]["value"] == 0.0
    assert result["metrics"]["onset_agreement"]["value"] is None  # steady tones have no onsets
    assert "no clip has an onset in its real audio" in result["metrics"]["onset_agreement"]["reason"]


@pytest.mark.slow
def test_the_table_is_aligned_and_names_what_controls_get(here, capsys):
    assert evaluate("--controls", "--reference", "real clips", *METRICS) == EXIT_OK
    said = capsys.readouterr()
    assert "left out: other_class, since the clips have no labels of several classes" in said.err
    assert len(said.out.splitlines()) == 11
    (other,) = (path for path in said.out.splitlines() if "other_clip" in path)
    assert results.read_result(Path(other))["model"]["title"] == "Another clip"
    table = said.err[said.err.index("controls on real-clips/files, 3 clips") :].splitlines()
    assert table[2].split("  ")[-1] == "metronome"
    truth = dict(zip(_cells(table[2]), _cells(table[3])[1:], strict=True))
    assert float(truth["ground truth"]) == 0.0  # not rounded on its way through a file
    assert evaluate(*FOLDERS, *METRICS) == EXIT_OK
    said = capsys.readouterr().err
    assert "--controls" not in said
    head, level, silent = (line for line in said.splitlines() if "better" in line or "lower" in line)
    for word in ("value", "95 % interval", "unit", "better", "clips", "real audio", "another clip's", "noise"):
        assert word in head
    assert "all metrics: no 95 % interval: 3 source videos, at least 6 are needed" in said
    assert "decibels" in level
    assert "lower ↓" in level
    assert "percent" in silent
    at = head.index("real audio") + len("real audio")
    assert level[:at].split()[-1] == "0"
    assert level.index("decibels") == silent.index("percent") == head.index("unit")
    assert level.endswith("level_difference")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().split("  ") if cell.strip()]


@pytest.mark.slow
def test_controls_of_another_folder_of_that_name_are_not_reused(here, capsys):
    """Same names, other audio: what was generated for the first is not scored against the second."""
    assert evaluate("--controls", "--reference", "real clips", "--metric", "level_difference") == EXIT_OK
    for path in (here / "real clips").iterdir():
        write_video(path, pictures(30), audio=0.1 * click(0.5, 1.2))
    capsys.readouterr()
    assert evaluate("--controls", "--reference", "real clips", "--metric", "level_difference") == EXIT_OK
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    truth = next(results.read_result(path) for path in paths if path.name.startswith("ground_truth"))
    assert truth["metrics"]["level_difference"]["value"] == 0.0


def test_takes_say_their_spread(here, capsys):
    for path in list((here / "my outputs").iterdir()):
        folder = here / "takes" / path.stem
        for take in (0, 1):
            audio = 0.3 * np.sin(np.arange(round(1.2 * RATE_HZ)) * 0.1 * (take + 1)) * (0.5**take)
            write_wav(folder / f"{take}.wav", audio.astype(np.float32), RATE_HZ)
    assert evaluate("--audio", "takes", "--reference", "real clips", "--metric", "level_difference") == EXIT_OK
    said = capsys.readouterr().err
    assert "3 real clips, 3 with generated audio (6 takes)" in said
    assert "sd of takes" in said
    assert "averaged within the clip; intervals are over clips" in said


def test_values_per_clip_as_a_table(here, capsys):
    assert evaluate(*FOLDERS, "--csv", "tables/clips.csv") == EXIT_OK
    with (here / "tables" / "clips.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["clip_id"] for row in rows] == ["-dash", "my-dog", "敲门声"]
    result = json.loads(Path(capsys.readouterr().out.strip()).read_text())
    for name in ("level_difference", "logmel_distance"):
        mean = np.mean([float(row[name]) for row in rows])
        assert mean == pytest.approx(result["metrics"][name]["value"], rel=1e-9)
    assert float(rows[0]["duration_s"]) == pytest.approx(1.2, abs=0.1)


def test_a_missing_file_is_named_and_the_rest_is_scored(here, capsys):
    (here / "my outputs" / "my dog.wav").rename(here / "my outputs" / "my dogs.wav")
    assert evaluate(*FOLDERS, *METRICS) == EXIT_PARTIAL
    said = capsys.readouterr().err
    assert "generated my dogs.wav: no real audio of this name (near: my dog)" in said
    assert "real my dog.mp4: no generated audio of this name (near: my dogs)" in said
    assert "2 of 3 clips scored (1 missing), single metrics" in said


def test_names_that_differ_by_case_are_near(here, capsys):
    (here / "my outputs" / "my dog.wav").rename(here / "my outputs" / "MY DOG.wav")
    assert evaluate(*FOLDERS, *METRICS) == EXIT_PARTIAL
    assert "generated MY DOG.wav: no real audio of this name (near: my dog)" in capsys.readouterr().err


def test_a_metric_of_fewer_clips_than_were_scored_says_why(here, capsys):
    write_video(here / "real clips" / "quiet.mp4", pictures(30), audio=0.0 * click(0.2, 1.2))
    write_wav(here / "my outputs" / "quiet.wav", np.zeros(round(1.2 * RATE_HZ), np.float32), RATE_HZ)
    evaluate(*FOLDERS, "--metric", "onset_agreement", "--metric", "level_difference")
    said = capsys.readouterr().err
    without = "1 without an onset in its real audio that the detector finds"
    assert f"  Onset agreement (50 ms): 3 of 4 clips: {without}" in said.splitlines()
    assert "Level difference: 3" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--audio", "my outputs"), "--reference"),
        ((*FOLDERS, "--data", "x.manifest.jsonl"), "give one"),
        (("--audio", "none", "--reference", "real clips"), "no folder at none"),
        (("--audio", "my outputs", "--reference", "none"), "no folder at none"),
        ((*FOLDERS, "--protocol", "synth"), "made for the data set synthfoley"),
        ((*FOLDERS, "--metric", "fad_mini"), "made for synthfoley"),
        ((*FOLDERS, "--device", "cuda:99"), "device 'cuda:99' cannot be used"),
        (("--controls", "--reference", "real clips", "--csv", "x.csv"), "--csv is for one row"),
    ],
)
def test_what_cannot_work_is_said_before_any_work(here, capsys, words, said):
    assert evaluate(*words) == EXIT_ERROR
    assert said in capsys.readouterr().err
    assert not (here / "leaderboards").exists()


def test_a_prepared_set_takes_the_protocol_that_fits(clicks, here, capsys):
    for clip in ShardDataset(clicks).clips(video=False):
        write_wav(here / "copies" / f"{clip.clip_id}.wav", clip.audio, clip.rate_hz)
    assert evaluate("--audio", "copies", "--data", str(clicks)) == EXIT_OK
    result = results.read_result(Path(capsys.readouterr().out.strip()))
    assert result["protocol"]["name"] == "signal"


def test_everything_works_where_only_reading_is_allowed(here, capsys):
    os.chmod(here / "real clips", 0o500)
    os.chmod(here / "my outputs", 0o500)
    assert evaluate(*FOLDERS, *METRICS) == EXIT_OK
    assert isinstance(open_dataset(next((here / "cache" / "folders").glob("*/*.jsonl"))), ShardDataset)


def test_an_undefined_value_says_why(capsys):
    import sys

    record = {"value": None, "low": None, "high": None, "unit": "1", "better": "higher", "n_used": 0, "n_asked": 2}
    result = {
        "model": {"name": "m"},
        "dataset": {"name": "d", "split": "s", "n_clips": 2, "n_scored": 2},
        "protocol": {"name": "signal"},
        "status": "complete",
        "metrics": {"onset_agreement": {**record, "reason": "no onset anywhere"}},
        "problems": [],
    }
    tell(result, sys.stdout)
    assert "no Onset agreement (50 ms) (onset_agreement): no onset anywhere" in capsys.readouterr().out


def test_a_note_of_all_intervals_names_no_metric():
    from foleybench.commands._result_text import _notes

    whole, without = {"low": 0.1, "notes": ["few"]}, {"low": None, "notes": ["none"]}
    metrics = {"onset_ap": whole, "onset_f1": whole, "event_f1": without}
    assert list(_notes(metrics)) == ["  all metrics with an interval: few", "  Event F1 (50 ms): none"]
    metrics["level_difference"] = {"low": 0.1, "notes": []}
    assert next(_notes(metrics)) == "  Onset AP (100 ms), Onset F1 (100 ms): few"


def test_a_note_on_most_metrics_names_the_others_and_commas_part_no_titles():
    """P14: `Retrieval (aiSFX), at 1` beside other names read as two metrics."""
    names = ["fad_aisfx", "retrieval_aisfx", "retrieval_at_1_aisfx", "kld_aisfx", "level_difference"]
    metrics = {name: {"low": None} for name in names}
    assert _together(names, metrics) == "all metrics"
    assert _together(names[:4], metrics) == "all metrics but Level difference"
    more = {key: {"low": None} for key in [*names, "silence_share", "clipping_share", "pitch_error"]}
    assert _together(names[:4], more).startswith("FAD (aiSFX); ")  # four of eight
    assert _together(names[1:3], metrics) == "; ".join(registry.load("metrics", name).title for name in names[1:3])
    assert _together([names[0], names[4]], metrics) == "FAD (aiSFX), Level difference"
    assert (
        _together(names[:3], {name: {"low": None} for name in [*names, "silence_share", "clipping_share"]}).count(";")
        == 2
    )
