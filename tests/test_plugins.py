"""A third party's package and single files of metrics go through every command."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from foleybench import registry
from foleybench.cli import main
from foleybench.media.audio import write_wav
from foleybench.scoring import scorer, workers
from foleybench.shards.dataset import ShardDataset

PACKAGE = Path(__file__).parent / "plugin_package"
LEVELS = (0.1, 0.2, 0.3, 0.4)
# Half as loud: the peaks of the tones are apart by half of each level.
APART = sum(LEVELS) / len(LEVELS) / 2
KINDS = {
    "datasets": "plug_tones",
    "encoders": "plug_peak",
    "metrics": "plug_peak_difference",
    "models": "plug_half",
    "protocols": "plug",
}


@pytest.fixture(scope="module", autouse=True)
def _installed():
    """The package can be imported, as after an installation; worker processes are given the path."""
    sys.path.insert(0, str(PACKAGE))
    registry.refresh()
    yield
    sys.path.remove(str(PACKAGE))
    for name in [name for name in sys.modules if name.partition(".")[0] == "foleyplug"]:
        del sys.modules[name]
    registry.refresh()


@pytest.fixture(scope="module")
def tones(_installed, tmp_path_factory) -> Path:
    """The package's data set, prepared; its manifest."""
    out = tmp_path_factory.mktemp("tones")
    assert main(["prepare", "plug_tones", "--out", str(out)]) == 0
    return out / "test.manifest.jsonl"


@pytest.fixture(scope="module")
def halves(tones, tmp_path_factory) -> Path:
    """A folder of audio made elsewhere: the tones at half their level."""
    folder = tmp_path_factory.mktemp("audio") / "halves"
    for clip in ShardDataset(tones).clips(video=False):
        write_wav(folder / f"{clip.clip_id}.wav", clip.audio * 0.5, clip.rate_hz)
    return folder


@pytest.fixture
def processes(monkeypatch) -> list[int]:
    """Chunks of one clip, so that every process gets some; the numbers of processes that were started."""
    started: list[int] = []
    start = workers._in_processes

    def noted(here, tasks, jobs):
        started.append(jobs)
        return start(here, tasks, jobs)

    monkeypatch.setattr(scorer, "CHUNK", 1)
    monkeypatch.setattr(workers, "_in_processes", noted)
    return started


def record_of(results: Path, metric: str) -> dict:
    (path,) = results.glob("*/*.json")
    return json.loads(path.read_text())["metrics"][metric]


def leaderboard(results: Path, out: Path, *more: str) -> int:
    return main(["leaderboard", "--results", str(results), "--out", str(out), "--published", "none", *more])


@pytest.mark.parametrize(("kind", "name"), KINDS.items())
def test_every_kind_is_listed_with_what_it_says_of_itself(kind, name, capsys):
    assert main(["list", kind]) == 0
    assert name in capsys.readouterr().out.split()
    assert main(["list", kind, "--long"]) == 0
    assert registry.owners(kind, name) == ("foleyplug",)
    assert registry.path(kind, name).parent == PACKAGE / "foleyplug"


def test_a_new_process_lists_it():
    command = [sys.executable, "-m", "foleybench.cli", "list", "metrics"]
    path = ":".join([str(PACKAGE), *filter(None, sys.path)])
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONPATH": path, "PATH": ""})
    assert "plug_peak_difference" in done.stdout.split()


def test_show(capsys):
    assert main(["show", "metrics", "plug_peak_difference"]) == 0
    assert "Peak difference: between the largest samples" in capsys.readouterr().out
    assert main(["show", "protocols", "plug"]) == 0
    assert "plug_peak_difference" in capsys.readouterr().out


def test_prepared(tones, capsys):
    peaks = [float(abs(clip.audio).max()) for clip in ShardDataset(tones).clips(video=False)]
    assert peaks == pytest.approx(LEVELS, abs=1e-4)
    assert "Tones" in (tones.parent / "README.md").read_text()
    assert main(["show", str(tones)]) == 0


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_model_to_leaderboard(tones, tmp_path, jobs, processes):
    results = tmp_path / "results"
    words = ["--data", str(tones), "--work", str(tmp_path / "work"), "--out", str(results), "--resamples", "20"]
    words += ["--cache", str(tmp_path / "cache"), "--jobs", str(jobs)]
    assert main(["eval", "--model", "plug_half", "--protocol", "plug", *words]) == 0
    assert processes == ([2] if jobs == 2 else [])
    record = record_of(results, "plug_peak_difference")
    assert record["value"] == pytest.approx(APART, abs=1e-3)
    assert record["n_used"] == len(LEVELS)
    assert leaderboard(results, tmp_path) == 0
    table = (tmp_path / "plug_tones.md").read_text()
    assert "Peak difference" in table
    assert "Half as loud" in table
    assert leaderboard(results, tmp_path, "--check") == 0


def test_sanity(tones, tmp_path):
    words = ["--data", str(tones), "--protocol", "plug", "--degradations", "gain", "--resamples", "20"]
    words += ["--cards", str(tmp_path / "cards"), "--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    assert main(["sanity", *words]) == 0  # 3 would be out of order on what it is for: nothing says what it is for
    assert "plug_peak_difference" in (tmp_path / "out" / "curves.csv").read_text()
    assert "Peak difference" in (tmp_path / "cards" / "plug_peak_difference.md").read_text()


@pytest.fixture
def metric_file(tmp_path) -> Path:
    """The metric as a single file that no package holds."""
    path = tmp_path / "mine.py"
    shutil.copy(PACKAGE / "foleyplug" / "peak_difference.py", path)
    return path


@pytest.mark.slow
def test_a_metric_from_a_file_beside_a_protocol(tones, halves, metric_file, tmp_path, processes, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the file is named relative to where the user stands
    results = tmp_path / "results"
    words = ["--data", str(tones), "--out", str(results), "--resamples", "20", "--cache", str(tmp_path / "cache")]
    words += ["--metric", "mine.py:PEAK_DIFFERENCE", "--protocol", "plug", "--jobs", "2"]
    assert main(["eval", "--audio", str(halves), *words]) == 0
    assert processes == [2]
    assert record_of(results, "mine.py:PEAK_DIFFERENCE")["value"] == pytest.approx(APART, abs=1e-3)
    assert leaderboard(results, tmp_path) == 0
    assert "mine.py:PEAK_DIFFERENCE" in (tmp_path / "plug_tones.csv").read_text()
    assert leaderboard(results, tmp_path, "--check") == 0


@pytest.mark.slow
def test_a_metric_from_a_file_alone(tones, halves, metric_file, tmp_path, processes):
    results = tmp_path / "results"
    words = ["--data", str(tones), "--out", str(results), "--resamples", "20", "--cache", str(tmp_path / "cache")]
    words += ["--metric", f"{metric_file}:PEAK_DIFFERENCE", "--jobs", "2"]
    assert main(["eval", "--audio", str(halves), *words]) == 0
    assert processes == [2]
    (path,) = results.glob("*/*.json")
    assert json.loads(path.read_text())["protocol"]["name"] == "metrics:mine.py:PEAK_DIFFERENCE"
    assert leaderboard(results, tmp_path) == 0
    assert "mine.py:PEAK_DIFFERENCE" in (tmp_path / "plug_tones.csv").read_text()


def test_sanity_of_a_metric_from_a_file(tones, metric_file, tmp_path):
    words = ["--data", str(tones), "--metric", f"{metric_file}:PEAK_DIFFERENCE", "--degradations", "gain"]
    words += ["--resamples", "20", "--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    assert main(["sanity", *words]) == 0
    assert "mine.py:PEAK_DIFFERENCE" in (tmp_path / "out" / "curves.csv").read_text()
