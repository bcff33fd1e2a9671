"""The verb ``report``: exit codes, what goes to which stream, bad options."""

import pytest

from foleybench.cli import main
from foleybench.media.audio import write_wav
from foleybench.shards.dataset import ShardDataset


@pytest.fixture(scope="module")
def mine(clicks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    data = ShardDataset(clicks)
    for clip_id in data.clip_ids:
        write_wav(folder / f"{clip_id}.wav", data.load(clip_id, video=False).audio, 16000)
    return folder


def test_page_and_seed_are_told(clicks, mine, tmp_path, capsys):
    out = tmp_path / "report.html"
    assert main(["report", "--data", str(clicks), "--audio", f"mine={mine}", "--clips", "2", "--out", str(out)]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{out}\n"
    assert "clips drawn with seed 0: clip" in captured.err
    assert out.read_text().startswith("<!doctype html>")


def test_missing_sound_ends_with_three(clicks, mine, tmp_path, capsys):
    empty = tmp_path / "empty"
    empty.mkdir()
    words = ["report", "--data", str(clicks), "--audio", f"mine={mine}", f"none={empty}", "--clips", "1"]
    assert main([*words, "--out", str(tmp_path / "report.html")]) == 3
    assert "none, clip" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (["mine"], "is not NAME=PATH"),
        (["=x"], "is not NAME=PATH"),
        (["a=x", "a=y"], "names 'a' twice"),
        (["a=/nowhere"], "no folder at /nowhere"),
    ],
)
def test_bad_options(clicks, tmp_path, capsys, audio, message):
    assert main(["report", "--data", str(clicks), "--audio", *audio, "--out", str(tmp_path / "r.html")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


def test_name_map(clicks, mine, tmp_path):
    first = sorted(mine.iterdir())[0]
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "one.wav").write_bytes(first.read_bytes())
    table = tmp_path / "names.csv"
    table.write_text(f"path,clip_id\none.wav,{first.stem}\n")
    words = ["report", "--data", str(clicks), "--audio", f"other={folder}", "--names", f"other={table}"]
    assert main([*words, "--out", str(tmp_path / "report.html")]) == 3
    assert (tmp_path / "report.html").read_text().count("data:audio/flac") == 6 + 1
