"""Names, folders and numbers that cannot work are refused before any work, in a dry run too."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from foleybench.artefacts import audio_folder
from foleybench.cli import main
from foleybench.errors import EXIT_ERROR, EXIT_OK, EXIT_USAGE
from foleybench.media.audio import write_wav
from foleybench.scoring import evaluate
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import manifest_bytes, read_manifest

DRY = pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["run", "dry run"])
MODEL = """
from foleybench.api.model import Model
MODEL = Model(title="m", kind="model", sees=frozenset({"video"}), licence="MIT", description="", build=None)
"""


@pytest.fixture
def audio(clicks, tmp_path) -> Path:
    """Audio in a folder whose name has a blank."""
    folder = tmp_path / "my model"
    for clip in ShardDataset(clicks).clips(video=False):
        write_wav(folder / f"{clip.clip_id}.wav", clip.audio, clip.rate_hz)
    return folder


@pytest.fixture
def no_work(monkeypatch):
    """Anything that would score or generate fails the test."""

    def work(*arguments, **more):
        pytest.fail("work was begun")

    monkeypatch.setattr(evaluate, "evaluate", work)
    monkeypatch.setattr(audio_folder, "find_files", work)
    monkeypatch.setattr("foleybench.generation.folder.generate_folder", work)
    monkeypatch.setattr("foleybench.generation.video.sound_for_video", work)
    monkeypatch.setattr("foleybench.sanity.run.run_sanity", work)


def refused(words: list[str], capsys) -> str:
    """What a command says that ends with an error of the user's, or of how it was called."""
    try:
        code = main(words)
    except SystemExit as error:
        code = error.code
    assert code in (EXIT_ERROR, EXIT_USAGE)
    return capsys.readouterr().err


@DRY
@pytest.mark.parametrize("name", ["my model", "a/b", "../a", "ä", "-a", "a\n"])
def test_a_name_that_cannot_be_part_of_a_file_name(clicks, audio, tmp_path, no_work, dry, name, capsys):
    for what in (["--audio", str(audio)], ["--model", "silence"]):
        words = ["eval", *what, f"--name={name}", "--data", str(clicks), "--out", str(tmp_path / "out"), *dry]
        assert "which cannot be part of a file name" in refused(words, capsys)
    words = ["generate", "--model", "silence", f"--name={name}", "--data", str(clicks), "--out", str(tmp_path / "out")]
    assert "which cannot be part of a file name" in refused([*words, *dry], capsys)
    assert not (tmp_path / "out").exists()


@DRY
def test_a_folder_with_a_blank_needs_a_name(clicks, audio, tmp_path, no_work, dry, capsys):
    words = ["eval", "--audio", str(audio), "--data", str(clicks), "--out", str(tmp_path / "out"), *dry]
    said = refused(words, capsys)
    assert "'my model'" in said
    assert "give another with --name" in said


def test_with_a_name_blanks_in_folders_do_no_harm(clicks, audio, tmp_path):
    words = ["eval", "--audio", str(audio), "--name", "mine", "--data", str(clicks), "--metric", "silence_share"]
    words += ["--out", str(tmp_path / "my results"), "--cache", str(tmp_path / "my cache"), "--resamples", "10"]
    assert main([*words, "--jobs", "1"]) == EXIT_OK
    assert list((tmp_path / "my results" / "clicks").glob("mine.*.json"))


@DRY
def test_an_out_that_is_a_file(clicks, audio, tmp_path, no_work, dry, capsys):
    (tmp_path / "file").write_text("")
    out = str(tmp_path / "file" / "below")
    for words in commands(clicks, audio):
        assert "is not a folder. Name another folder" in refused([*words, "--out", out, *dry], capsys)


@DRY
def test_an_out_that_cannot_be_written_to(clicks, audio, tmp_path, no_work, dry, monkeypatch, capsys):
    """By a substitute for ``os.access``: whoever runs the tests as root may write anywhere."""
    locked = tmp_path / "locked"
    locked.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != locked or not mode & os.W_OK)
    for words in commands(clicks, audio):
        assert f"{locked} cannot be written to" in refused([*words, "--out", str(locked / "new"), *dry], capsys)
    assert list(locked.iterdir()) == []


def commands(clicks: Path, audio: Path) -> list[list[str]]:
    data = ["--data", str(clicks)]
    return [
        ["eval", "--audio", str(audio), "--name", "mine", *data],
        ["sanity", *data],
        ["generate", "--model", "silence", *data],
    ]


@DRY
@pytest.mark.parametrize(
    ("verb", "option", "value"),
    [
        *(("eval", "--resamples", value) for value in ("-5", "0", "1.5", "many")),
        *(("eval", "--limit", value) for value in ("-1", "0")),
        *(("eval", "--nfe", value) for value in ("99", "26", "0", "-1")),
        *(("eval", option, "-1") for option in ("--seed", "--jobs")),
        *(("generate", option, value) for option, value in (("--nfe", "99"), ("--limit", "0"), ("--seed", "-1"))),
        *(("sanity", option, "0") for option in ("--resamples", "--limit")),
    ],
)
def test_a_number_out_of_its_range(clicks, tmp_path, no_work, dry, verb, option, value, capsys):
    what = [] if verb == "sanity" else ["--model", "silence"]
    words = [verb, *what, "--data", str(clicks), "--out", str(tmp_path / "out"), f"{option}={value}", *dry]
    said = refused(words, capsys)
    assert f"argument {option}: " in said
    assert "whole number" in said
    assert not (tmp_path / "out").exists()


@DRY
@pytest.mark.parametrize("value", ["-0.1", "1.5", "nan", "much"])
def test_a_share_out_of_its_range(clicks, tmp_path, no_work, dry, value, capsys):
    words = ["eval", "--model", "silence", "--data", str(clicks), "--out", str(tmp_path / "out"), *dry]
    said = refused([*words, f"--level-share={value}"], capsys)
    assert "argument --level-share: " in said
    assert "share" in said.partition("--level-share: ")[2]


def test_a_share_for_a_model_that_samples_no_flow(clicks, tmp_path, capsys):
    words = ["generate", "--model", "silence", "--data", str(clicks), "--out", str(tmp_path / "out")]
    assert "leave --level-share out" in refused([*words, "--level-share", "0.5"], capsys)


@pytest.mark.parametrize("value", ["1", "25"])
def test_the_ends_of_a_range_belong_to_it(clicks, tmp_path, value):
    words = ["generate", "--model", "silence", "--data", str(clicks), "--out", str(tmp_path / "out")]
    assert main([*words, "--nfe", value, "--dry-run"]) == EXIT_OK


@pytest.mark.parametrize("words", [["--clips", "0"], ["--seed", "-1"]])
def test_numbers_of_the_report(clicks, audio, tmp_path, words, capsys):
    out = tmp_path / "page.html"
    assert "whole number" in refused(
        ["report", "--data", str(clicks), "--audio", f"a={audio}", "--out", str(out), *words], capsys
    )
    assert not out.exists()


@DRY
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\ndef f(:\n", "line 2: "),
        ("import nothing_like_that\n", "line 1: ModuleNotFoundError"),
        ("x = 1\n", "does not define MODEL"),
        ("MODEL = 3\n", "gives a int; a Model of foleybench.api.model is wanted"),
    ],
)
def test_a_fault_in_the_file_of_a_model(clicks, tmp_path, no_work, dry, text, words, capsys):
    path = tmp_path / "mine.py"
    path.write_text(text)
    said = refused(
        ["eval", "--model", f"{path}:MODEL", "--data", str(clicks), "--out", str(tmp_path / "out"), *dry], capsys
    )
    assert words in said
    assert "mine.py" in said
    assert not (tmp_path / "out").exists()


def test_a_file_of_a_model_without_fault_passes_the_same_check(clicks, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MODEL)
    words = ["eval", "--model", f"{path}:MODEL", "--data", str(clicks), "--out", str(tmp_path / "out"), "--dry-run"]
    assert main(words) == EXIT_OK


@DRY
@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--metric", "event_f2"], "Did you mean 'event_f1'"),
        (["--metric", "nowhere.py:METRIC"], "no file at"),
        (["--metric", "event_f1", "--protocol", "all"], "--metric goes with one protocol or none"),
        (["--protocol", "sinth"], "Did you mean 'synth'"),
    ],
)
def test_a_metric_or_protocol_that_is_not_there(clicks, audio, tmp_path, no_work, dry, more, words, capsys):
    base = ["eval", "--audio", str(audio), "--name", "mine", "--data", str(clicks), "--out", str(tmp_path / "out")]
    assert words in refused([*base, *more, *dry], capsys)


def test_a_folder_with_one_split_stands_for_its_manifest(clicks, audio, tmp_path, capsys):
    words = ["eval", "--audio", str(audio), "--name", "mine", "--out", str(tmp_path / "out"), "--dry-run"]
    assert main([*words, "--data", str(clicks.parent)]) == EXIT_OK
    assert f"on {clicks} under" in capsys.readouterr().err
    (tmp_path / "two").mkdir()
    for split in ("test", "val"):
        (tmp_path / "two" / f"{split}.manifest.jsonl").write_text("")
    said = refused([*words, "--data", str(tmp_path / "two")], capsys)
    assert "holds test.manifest.jsonl, val.manifest.jsonl; name one manifest" in said
    (tmp_path / "none").mkdir()
    assert "holds no *.manifest.jsonl; name one manifest" in refused([*words, "--data", str(tmp_path / "none")], capsys)


def test_a_split_without_a_usable_clip(clicks, audio, tmp_path, capsys):
    """What is left when no clip of a list was there."""
    hashes = dict.fromkeys(("audio_sha256", "video_sha256", "json_sha256"))
    manifest = read_manifest(clicks)
    gone = {"status": "not_here", "reason": "no file", "shard": None, "facts": {}, **hashes}
    none = [dataclasses.replace(entry, **gone) for entry in manifest.entries]
    path = tmp_path / "none.manifest.jsonl"
    path.write_bytes(manifest_bytes(manifest.header, none))
    mine, out = ["--audio", f"mine={audio}"], ["--out", str(tmp_path / "out")]
    scored = ["eval", "--metric", "silence_share"]
    for words in (
        [*scored, "--audio", str(audio), "--name", "mine"],
        [*scored, "--model", "silence"],
        [*scored, "--controls"],
        ["generate", "--model", "silence"],
        ["sanity", "--protocol", "signal"],
        ["report", *mine],
        ["listen", *mine, "theirs=" + str(audio)],
    ):
        said = refused([*words, "--data", str(path), *out], capsys)
        assert f"none.manifest.jsonl has no usable clip ({len(none)} not_here). `foleybench show " in said
