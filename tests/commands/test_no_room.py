"""Places that cannot be written to or read: a sentence, before the work where that can be seen, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from foleybench import cli
from foleybench.errors import EXIT_ERROR, EXIT_OK
from foleybench.media.audio import write_wav
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import read_manifest
from tests.made_results import make_board


@pytest.fixture(scope="module")
def audio(clicks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("audio") / "mine"
    for clip in ShardDataset(clicks).clips(video=False):
        write_wav(folder / f"{clip.clip_id}.wav", clip.audio, clip.rate_hz)
    return folder


def commands(clicks, audio, out):
    data = ["--data", str(clicks)]
    scored = [*data, "--metric", "silence_share"]
    return {
        "prepare": ["prepare", "synthfoley", "--out", str(out), "--limit", "2"],
        "features": ["prepare", "features", *data, "--encoder", "loudness", "--out", str(out)],
        "eval": ["eval", "--audio", str(audio), "--name", "mine", *scored, "--out", str(out)],
        "generate": ["generate", "--model", "silence", *data, "--out", str(out)],
        "train": ["train", "foleyflow", *data, "--out", str(out)],
        "leaderboard": ["leaderboard", "--out", str(out)],
        "report": ["report", *data, "--audio", f"mine={audio}", "--out", str(out / "page.html")],
        "sanity": ["sanity", *scored, "--out", str(out)],
        "sanity --cards": ["sanity", *scored, "--out", str(audio.parent / "sanity"), "--cards", str(out)],
        "sanity --card-texts": ["sanity", "--card-texts", str(out), "--every-metric"],
        "listen": ["listen", *data, "--audio", f"mine={audio}", f"other={audio}", "--out", str(out)],
        "votes": ["votes", "votes.csv", "--out", str(out)],
        "votes --csv": ["votes", "votes.csv", "--out", str(audio.parent / "people"), "--csv", str(out / "votes.csv")],
        "reproduce": ["reproduce", "table2", "--out", str(out), "--work", str(audio.parent / "work")],
        "reproduce --work": ["reproduce", "table2", "--out", str(audio.parent / "tables"), "--work", str(out)],
        "reproduce --tables-only": ["reproduce", "table2", "--tables-only", "--out", str(out)],
        "demo": ["demo", "--out", str(out)],
        "show --html": ["show", str(clicks), "--html", str(out / "page.html")],
    }


NAMES = list(commands(Path(), Path(), Path()))


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_cannot_be_written_to(clicks, audio, tmp_path, name, monkeypatch, capsys):
    """D6: by a substitute for ``os.access``: whoever runs the tests as root may write anywhere."""
    locked = tmp_path / "locked"
    locked.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != locked or not mode & os.W_OK)
    assert cli.main(commands(clicks, audio, locked / "new")[name]) == EXIT_ERROR
    assert f"{locked} cannot be written to" in capsys.readouterr().err
    assert list(locked.iterdir()) == []


@pytest.mark.parametrize("name", ["eval", "report"])
def test_a_folder_of_sound_that_cannot_be_read(clicks, audio, tmp_path, name, monkeypatch, capsys):
    """D6."""
    listed = os.scandir

    def scandir(path="."):
        if str(path) == str(audio):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert cli.main(commands(clicks, audio, tmp_path / "out")[name]) == EXIT_ERROR
    assert f"{audio} cannot be read: permission denied" in capsys.readouterr().err


# What these write of six clips would fit on the small disk.
WRITE_LITTLE = ["eval", "listen", "sanity --card-texts", "show --html"]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 48 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk can be made by root alone")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["prepare", "features", "generate", "leaderboard", "report", *WRITE_LITTLE])
def test_a_disk_that_fills_up(clicks, audio, small_disk, name, tmp_path, capsys):
    """D6: exit 1 and a sentence that names the file; nothing half written under a name of its own."""
    if name in ("features", *WRITE_LITTLE):
        (small_disk / "filler").write_bytes(bytes(44_000))
    words = commands(clicks, audio, small_disk / "out")[name]
    if name == "leaderboard":
        words += ["--results", str(make_board(tmp_path / "results"))]
    assert cli.main(words) == EXIT_ERROR
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "no space left on device" in said.lower()
    assert str(small_disk / "out") in said


@pytest.mark.slow
def test_a_full_cache_disk_costs_time_and_no_run(clicks, audio, small_disk, tmp_path, capsys):
    """D6."""
    (small_disk / "filler").write_bytes(bytes(40_000))
    words = commands(clicks, audio, tmp_path / "out")["eval"]
    assert cli.main([*words, "--cache", str(small_disk / "cache"), "--jobs", "1", "--resamples", "10"]) == EXIT_OK
    assert capsys.readouterr().err.count("going on without the cache") <= 1


def test_a_card_beside_data_that_cannot_be_written_to(clicks, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != clicks.parent or not mode & os.W_OK)
    assert cli.main(["show", str(clicks), "--card"]) == EXIT_ERROR
    said = capsys.readouterr()
    assert f"{clicks.parent} cannot be written to" in said.err
    assert not said.out  # before anything is read and told


# Files of more than 2,000 bytes cannot be written: manifests of a few clips and notes on failures can, clips cannot.
LIMITED = (
    "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000));"
    "from foleybench.cli import main; raise SystemExit(main(sys.argv[1:]))"
)


@pytest.mark.slow
def test_a_worker_without_room_ends_the_run_and_fails_no_clip(tmp_path):
    """D6: all clips were `crashed` in manifests that said they were complete."""
    words = ["prepare", "synthfoley", "--out", str(tmp_path / "out"), "--limit", "1", "--jobs", "1"]
    done = subprocess.run([sys.executable, "-c", LIMITED, *words], capture_output=True, text=True)
    assert done.returncode == EXIT_ERROR
    assert "Traceback" not in done.stderr
    assert ".flac cannot be written: file too large. Make room" in done.stderr
    assert list((tmp_path / "out").glob("*.manifest.jsonl")) == []
    assert cli.main(words) == EXIT_OK
    assert all(entry.status == "ok" for path in (tmp_path / "out").glob("*.jsonl") if path.name != "duplicates.jsonl"
               for entry in read_manifest(path).entries)  # fmt: skip
