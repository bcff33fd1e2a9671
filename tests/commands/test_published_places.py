"""Nothing that is published names a folder outside of the current one: results, clip tables, pages, cards."""

import gzip
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from foleybench.artefacts import result as results
from foleybench.cli import main
from foleybench.media.audio import write_wav
from foleybench.shards.dataset import ShardDataset
from tests.made_media import click, pictures, write_video

# A part of every folder that does not lie in the current one. Its blank is where a search for paths would stop.
SECRET = "jane doe"
HISS = """
import numpy as np
from foleybench.api.model import Model

class Hiss:
    nfe, guidance, rate_hz, n_parameters = None, None, 16000, 0

    def generate(self, clips, rng):
        return [rng.normal(0, 0.1, round(clip.duration_s * 16000)).astype(np.float32) for clip in clips]

MODEL = Model(title="Hiss", kind="model", sees=frozenset(), licence="MIT", description="", build=lambda context: Hiss())
"""


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Path:
    """A folder outside of the current one."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    folder = tmp_path / SECRET / "work"
    folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("FOLEYBENCH_CACHE", str(folder / "cache"))
    return folder


def run(monkeypatch, *words) -> int:
    """Run a command as if typed."""
    typed = [str(word) for word in words]
    monkeypatch.setattr(sys, "argv", ["foleybench", *typed])
    return main(typed)


def named(folder: Path) -> list[str]:
    """Return the files of a folder whose names or contents hold the secret part, read as text where compressed."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            found += [str(path)] if SECRET.encode() in data or SECRET in str(path.relative_to(folder)) else []
    return found


def spoiled(folder: Path, clip_ids: list[str]) -> Path:
    """Write audio of which a file is missing, one broken, one cut, one no file and one of no clip."""
    for clip_id in clip_ids[1:]:
        write_wav(folder / f"{clip_id}.wav", click(0.3, 2.0), 16000)
    (folder / f"{clip_ids[1]}.wav").write_bytes(b"RIFF no audio")
    whole = (folder / f"{clip_ids[2]}.wav").read_bytes()
    (folder / f"{clip_ids[2]}.wav").write_bytes(whole[: len(whole) // 2])
    write_wav(folder / "stranger.wav", np.zeros(10, dtype=np.float32), 16000)
    return folder


METRICS = ("--metric", "level_difference", "--metric", "onset_agreement")
FEW = ("--resamples", "20", "--jobs", "1")


def test_eval_on_shards_of_which_one_clip_is_damaged(clicks, elsewhere, monkeypatch, capsys):
    shutil.copytree(clicks.parent, elsewhere / "data")
    shard = next((elsewhere / "data").glob("*.tar"))
    data = bytearray(shard.read_bytes())
    data[data.rindex(b"fLaC") + 200] ^= 0xFF
    shard.write_bytes(bytes(data))
    manifest = elsewhere / "data" / clicks.name
    clip_ids = list(ShardDataset(clicks).clip_ids)
    audio = spoiled(elsewhere / "outputs", clip_ids)
    table = elsewhere / "captions.csv"
    table.write_text("clip_id,caption\n" + "".join(f"{clip_id},a dog\n" for clip_id in clip_ids))
    words = ("--data", manifest, "--audio", audio, "--captions", table, "--cache", elsewhere / "features")
    assert run(monkeypatch, "eval", *words, *METRICS, *FEW) == 3
    result = results.read_result(Path(capsys.readouterr().out.strip()))
    kinds = {problem["kind"] for problem in result["problems"]}
    assert {"missing", "undecodable", "bad_data", "too_short"} <= kinds, result["problems"]
    assert result["run"]["leftovers"]["n"] == 1
    assert "--data .../test.manifest.jsonl --audio .../outputs" in result["run"]["command"]
    assert not named(Path.cwd())


def test_eval_on_folders_with_a_name_map_of_whole_paths(elsewhere, monkeypatch, capsys):
    for name in ("one", "two", "three"):
        write_video(elsewhere / "real" / f"{name}.mp4", pictures(30), audio=click(0.3, 1.2))
        write_wav(elsewhere / "mine" / f"{name}.wav", click(0.4, 1.2), 16000)
    (elsewhere / "real" / "three.mp4").write_bytes(b"\0\0\0\x18ftypmp42 and no more")
    names = elsewhere / "names.csv"
    names.write_text(f"path,clip_id\none.wav,one\ntwo.wav,two\n{elsewhere / 'mine' / 'three.wav'},three\n")
    words = ("--reference", elsewhere / "real", "--audio", elsewhere / "mine", "--names", names)
    assert run(monkeypatch, "eval", *words, *METRICS, *FEW) == 3
    result = results.read_result(Path(capsys.readouterr().out.strip()))
    assert result["run"]["leftovers"]["n"] > 0
    assert any(problem["kind"] == "bad_data" for problem in result["problems"])
    assert not named(Path.cwd())


def test_eval_of_a_model_in_a_file(clicks, elsewhere, monkeypatch, capsys):
    file = elsewhere.parents[1] / f"{SECRET} and others" / "hiss.py"
    file.parent.mkdir()
    file.write_text(HISS)
    model = f"{file}:MODEL"
    words = ("--model", model, "--data", clicks, "--work", elsewhere / "audio", "--out", "results", "--limit", "2")
    assert run(monkeypatch, "eval", *words, *METRICS, *FEW) == 3
    result = results.read_result(Path(capsys.readouterr().out.strip()))
    assert result["model"]["registry_name"] == ".../hiss.py:MODEL"
    assert result["run"]["generation"]["model"]["registry_name"] == ".../hiss.py:MODEL"
    assert f"--model .../hiss.py:MODEL --data .../{clicks.name}" in result["run"]["command"]
    assert not named(Path.cwd())
    # The audio is still known as this model's: the same command makes none again.
    assert (
        json.loads(next((elsewhere / "audio").rglob("generation.json")).read_text())["model"]["registry_name"] == model
    )
    assert run(monkeypatch, "eval", *words, *METRICS, *FEW) == 3


def test_pages(clicks, elsewhere, monkeypatch, capsys):
    shutil.copytree(clicks.parent, elsewhere / "data")
    manifest = elsewhere / "data" / clicks.name
    for clip in ShardDataset(manifest).clips(video=False):
        write_wav(elsewhere / "whole" / f"{clip.clip_id}.wav", 0.5 * clip.audio, clip.rate_hz)
    audio = spoiled(elsewhere / "poor", list(ShardDataset(manifest).clip_ids))
    both = (f"whole={elsewhere / 'whole'}", f"poor={audio}")
    assert run(monkeypatch, "report", "--data", manifest, "--audio", *both, "--out", "pages/report.html") == 3
    assert "No audio: " in Path("pages/report.html").read_text()
    study = ("--out", "study", "--clips", "3", "--trials", "2", "--checks", "5", "--raters", "2")
    assert run(monkeypatch, "listen", "--data", manifest, "--audio", *both, *study) in (0, 3)
    words = ("--audio", elsewhere / "whole", "--data", manifest, "--name", "whole")
    assert run(monkeypatch, "eval", *words, *METRICS, *FEW) == 0
    assert run(monkeypatch, "leaderboard", "--published", "none") == 0
    assert "--data .../test.manifest.jsonl" in Path("leaderboards/index.html").read_text()
    assert run(monkeypatch, "show", elsewhere / "data", "--html", "pages/card.html") == 0
    assert not named(Path.cwd())


@pytest.mark.slow
def test_the_page_of_a_sanity_run(clicks, elsewhere, monkeypatch):
    words = ("--data", clicks, "--metric", "level_difference", "--degradations", "noise", "--limit", "2")
    assert run(monkeypatch, "sanity", *words, "--cache", elsewhere / "cache", "--out", "sanity") in (0, 3)
    assert "--cache .../cache" in Path("sanity/sanity.md").read_text()
    assert not named(Path.cwd())
