"""Paths that lead out of the current folder are shortened; everything else in a command or a sentence stays."""

import sys
from pathlib import Path

import pytest

from foleybench.runtime.private_paths import facts_without_places, text_without_places, word_without_places
from foleybench.runtime.provenance import command_line


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A current folder, inside the home folder ``jane doe``, whose names hold spaces."""
    home = tmp_path / "people" / "jane doe"
    folder = home / "my project"
    folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    ("word", "left"),
    [
        ("{here}/shards/test.manifest.jsonl", "shards/test.manifest.jsonl"),
        ("--data={here}/shards/test.manifest.jsonl", "--data=shards/test.manifest.jsonl"),
        ("{here}", "."),
        ("--audio=mine={here}/out", "--audio=mine=out"),
        ("shards/../out/audio", "out/audio"),
        ("/mnt/sets/test.manifest.jsonl", ".../test.manifest.jsonl"),
        ("{home}/sets/a.csv", ".../a.csv"),
        ("{home}", "..."),
        ("~/sets/a.csv", ".../a.csv"),
        ("key=~/sets/a.csv", "key=.../a.csv"),
        ("a=/x/y", "a=.../y"),
        ("--set=a=/x/y", "--set=a=.../y"),
        ("/data", ".../data"),
        ("/home/somebody", "..."),
        ("../other", ".../other"),
        ("..", ".."),
        ("../", "..."),
        ("../../", "..."),
        ("file:///mnt/sets/a.csv", ".../a.csv"),
        ("/mnt/models/mine.py:MODEL", ".../mine.py:MODEL"),
        ("one.csv,/mnt/sets/two.csv", "one.csv,.../two.csv"),
        ("see /mnt/sets/a.csv", "see .../a.csv"),
    ],
)
def test_paths_of_a_command(here, word, left):
    assert word_without_places(word.format(here=here, home=here.parent)) == left


@pytest.mark.parametrize(
    "word",
    [
        *("out/audio", "./out", "1/2", "--limit=8", "lr=1e-3", "a/b=c/d", "-1", "", "/", "~", "~5 s", "..."),
        *("a dog barks / a cat purrs", "/s or /th, which sound?", "and/or", "10 m/s", "at /slow/ speed"),
        *("s3://bucket/sets/a.tar", "https://example.org/a/b", "gs://bucket/a"),
    ],
)
def test_what_only_looks_like_a_path_stays(here, word):
    assert word_without_places(word) == word


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Error opening '/mnt/jane doe/a.wav': no audio.", "Error opening '.../a.wav': no audio."),
        ("/mnt/a/one.tar differs from (/mnt/b/two.tar).", ".../one.tar differs from (.../two.tar)."),
        ("no file at {here}/out/a b.wav: gone", "no file at ./out/a b.wav: gone"),
        ("no file at {home}/sets/a.wav", "no file at .../a.wav"),
        ("no file at ~/sets/a.wav; none", "no file at .../a.wav; none"),
        ("../../sets/a.wav is cut", ".../a.wav is cut"),
        (
            "a peak of 1/2, from 3/4 to /1, said https://example.org/a",
            "a peak of 1/2, from 3/4 to /1, said https://example.org/a",
        ),
    ],
)
def test_paths_of_a_sentence(here, text, left):
    assert text_without_places(text.format(here=here, home=here.parent)) == left


def test_named_folders_are_found_whatever_their_names(here):
    folders = [Path("/mnt/jane doe/out"), Path("/mnt/jane doe/out/inner")]
    assert text_without_places("clip: /mnt/jane doe/out/a b/0.wav, cut", folders) == "clip: .../out/a b/0.wav, cut"
    assert text_without_places("/mnt/jane doe/out/inner/0.wav", folders) == ".../inner/0.wav"
    assert text_without_places("/mnt/jane doe/out", folders) == ".../out"
    facts = {"/mnt/jane doe/out/a": [1, None, {"why": "/mnt/jane doe/out"}], "n": 2.5, "ok": True}
    assert facts_without_places(facts, folders) == {".../out/a": [1, None, {"why": ".../out"}], "n": 2.5, "ok": True}


def test_a_current_folder_reached_through_a_link(here, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(here)
    monkeypatch.chdir(tmp_path / "link")
    monkeypatch.setenv("PWD", str(tmp_path / "link"))
    for typed in (tmp_path / "link" / "out", here / "out"):
        assert word_without_places(str(typed)) == "out"
    (here / "sets").symlink_to(tmp_path)
    assert word_without_places(str(here / "sets" / "a.csv")) == "sets/a.csv"


def test_the_command_that_is_recorded(here, monkeypatch):
    words = ["/usr/bin/foleybench", "eval", "--audio", f"{here}/my out", "--data", "/mnt/a b/test.manifest.jsonl"]
    monkeypatch.setattr(sys, "argv", [*words, "--set", "a=/x/y", "--cache", "~/cache"])
    (here / "my out").mkdir()
    left = "--audio 'my out' --data .../test.manifest.jsonl --set a=.../y --cache .../cache"
    assert command_line() == f"foleybench eval {left}"
