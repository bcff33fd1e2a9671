"""The wheel holds everything, and works where the repository is not."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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


@pytest.mark.slow
def test_wheel_holds_both_packages_weights_and_pages(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        "foleybench/py.typed",
        "foleymodels/foleyflow/__init__.py",
        "foleybench/encoders/mini/mini_class.safetensors",
        "foleybench/encoders/mini/mini_align.safetensors",
        "foleybench/leaderboard/assets/report.js",
    }
    assert wanted <= names
    assert not [name for name in names if name.startswith(("tests/", "shards/", "models/", "leaderboards/"))]


@pytest.mark.slow
def test_wheel_works_elsewhere(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    code = "import foleybench, foleymodels; print(foleybench.__file__, foleymodels.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.count(str(tmp_path / "site")) == 2
    listed = subprocess.run(
        [sys.executable, "-m", "foleybench.cli", "list", "models"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "foleyflow" in listed.stdout.split()


def test_mini_evaluators_are_small():
    weights = list((ROOT / "foleybench" / "encoders" / "mini").glob("*.safetensors"))
    assert len(weights) == 2
    assert sum(path.stat().st_size for path in weights) < 4_000_000


def test_readme_commands_parse():
    """Every ``foleybench`` line of the README is a command that exists, with options that exist."""
    from foleybench import cli

    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [line.split("#")[0].split() for line in lines if line.startswith("foleybench ")]
    assert len(commands) >= 8
    for words in commands:
        _, args = cli._parse(words[1:])
        assert hasattr(args, "run"), " ".join(words)
