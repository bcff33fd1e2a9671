"""The wheel holds everything, and works where the repository is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

from foleybench.media.audio import write_wav

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Install the wheel away from the repository, beside the packages that are here; return its folder of programs."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home / "venv", with_pip=False)
    python = home / "venv" / "bin" / "python"
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    Path(packages, "present.pth").write_text("".join(f"{path}\n" for path in sorted(here)))
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True)
    return python.parent


def run(installed: Path, folder: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a folder, without a path to the repository or weights, and check its exit code."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["FOLEYBENCH_WEIGHTS"] = str(folder / "no weights")
    found = subprocess.run(
        [installed / "foleybench", *words], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert found.returncode == code, found.stderr
    return found


@pytest.mark.slow
def test_wheel_holds_what_the_commands_read(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    files = {
        name.removeprefix("models/") for name in tracked if name.startswith(("foleybench/", "models/foleymodels/"))
    }
    results = {name.replace("leaderboards/", "foleybench/shipped/", 1) for name in tracked if _is_shipped(name)}
    assert {"foleybench/py.typed", "foleybench/shipped/published.csv"} <= files | results
    assert len(results) > 10
    assert files | results <= names
    assert not [name for name in names if name.startswith(("tests/", "shards/", "models/", "leaderboards/"))]


def _is_shipped(name: str) -> bool:
    return name == "leaderboards/published.csv" or name.startswith("leaderboards/results/")


@pytest.mark.slow
def test_wheel_is_what_runs_elsewhere(installed, tmp_path):
    code = "import foleybench, foleymodels; print(foleybench.__file__, foleymodels.__file__)"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run(
        [installed / "python", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.count(str(installed.parent)) == 2


@pytest.mark.slow
def test_wheel_lists_and_plans_the_demo(installed, tmp_path):
    assert "models/foleyflow" in run(installed, tmp_path, "list").stdout
    plan = run(installed, tmp_path, "demo", "--dry-run").stdout.splitlines()
    assert plan[0].startswith("foleybench prepare synthfoley")
    assert plan[-1].startswith("foleybench leaderboard")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_wheel_scores_two_folders(installed, tmp_path):
    for index, name in enumerate(("dog", "door", "rain")):
        noise = np.random.default_rng(index).normal(0, 0.04, 32000).astype(np.float32)
        noise[16000:17600] *= 5.0  # steady noise has no onset
        write_wav(tmp_path / "real" / f"{name}.wav", noise, 16000)
        write_wav(tmp_path / "made" / f"{name}.wav", 0.5 * noise, 16000)
    words = ("eval", "--audio", "made", "--reference", "real", "--resamples", "20", "--cache", "cache")
    told = run(installed, tmp_path, *words).stderr
    (line,) = [line for line in told.splitlines() if line.strip().startswith("Level difference")]
    assert float(line.split()[2]) == pytest.approx(20 * np.log10(2), abs=2e-3)  # half the amplitude


@pytest.mark.slow
def test_wheel_makes_the_committed_leaderboard(installed, tmp_path):
    # The wheel has no pages of `reproduce`; the leaderboard links to those that lie beside it.
    shutil.copytree(
        ROOT / "leaderboards" / "reproduce",
        tmp_path / "leaderboards" / "reproduce",
        ignore=lambda _, names: [name for name in names if not name.endswith(".md")],
    )
    told = run(installed, tmp_path, "leaderboard").stderr
    assert "no folder at leaderboards/results: showing the results that come with foleybench" in told
    made = {path.name for path in (tmp_path / "leaderboards").iterdir() if path.is_file()}
    boards = [folder.name for folder in (ROOT / "leaderboards" / "results").iterdir()]
    assert len(boards) > 2
    assert {"index.html", "published.md", *(f"{name}{ending}" for name in boards for ending in (".md", ".csv"))} <= made
    for name in made:
        assert (tmp_path / "leaderboards" / name).read_bytes() == (ROOT / "leaderboards" / name).read_bytes(), name


@pytest.mark.slow
def test_wheel_writes_what_the_paper_reports(installed, tmp_path):
    told = run(installed, tmp_path, "reproduce", "table1", "--tables-only", code=3).stderr
    assert "no result yet: full-tiny-seed0" in told
    page = (tmp_path / "leaderboards" / "reproduce" / "table1.md").read_text()
    assert "nothing was measured yet" in page
    assert "| Foley-Flow (ours) | 0.97 | 0.52 | 98.97 |" in page


def test_mini_evaluators_are_small():
    weights = list((ROOT / "foleybench" / "encoders" / "mini").glob("*.safetensors"))
    assert len(weights) == 2
    assert sum(path.stat().st_size for path in weights) < 4_000_000
