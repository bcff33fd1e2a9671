"""What only some work needs is asked for by name; scoring and the demo's commands need none of it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from foleybench.errors import FoleyError
from foleybench.runtime.extras import EXTRAS, explained, require_package

ROOT = Path(__file__).resolve().parents[2]
BLOCK = """
import sys
sys.path[:0] = {paths!r}
sys.modules.update(dict.fromkeys({refused!r}))  # None there: to import it is a ModuleNotFoundError
from foleybench.cli import main
for words in {commands!r}:
    code = main(words)
    assert code in (0, 3), (words, code)  # 3: so few clips that a metric is undefined
"""


def without(refused, commands, folder):
    """Run commands in a process in which some packages cannot be imported."""
    code = BLOCK.format(paths=[str(ROOT), str(ROOT / "models")], refused=set(refused), commands=commands)
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)


def test_every_package_is_in_the_extra_that_is_named():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {"open_clip": "open_clip_torch", "yt_dlp": "yt-dlp", "cv2": "opencv-python-headless"}
    for module, extra in EXTRAS.items():
        assert any(one.startswith(named.get(module, module)) for one in extras[extra]), module


def test_a_missing_package_is_told_with_its_extra(monkeypatch):
    monkeypatch.setitem(EXTRAS, "no_such_module", "fetch")
    with pytest.raises(FoleyError, match=r"^fetching needs the package no_such_module.*'foleybench\[fetch\]'"):
        require_package("no_such_module", "fetching")
    require_package("numpy", "fetching")
    told = explained(ModuleNotFoundError("x", name="torchaudio.compliance"), "encoder 'passt'")
    assert "encoder 'passt' needs the package torchaudio" in str(told)
    assert explained(ModuleNotFoundError("x", name="foleybench.nowhere"), "it") is None


@pytest.mark.slow
def test_preparing_training_scoring_and_pages_need_no_extra(tmp_path):
    made = ["prepare", "synthfoley", "--splits", "train", "val", "test", "--limit", "2"]
    data, few = "shards/synthfoley/test.manifest.jsonl", ["--resamples", "20", "--cache", "cache"]
    learn = ["--data", "shards/synthfoley/train.manifest.jsonl", "--val", "shards/synthfoley/val.manifest.jsonl"]
    commands = [
        made,
        ["train", "foleyflow", *learn, "--out", "run", "--steps", "2"],
        ["generate", "--model", "foleyflow", "--checkpoint", "run", "--data", data, "--out", "sound"],
        ["eval", "--audio", "sound", "--name", "mine", "--data", data, "--protocol", "signal", *few],
        ["eval", "--audio", "sound", "--name", "mine", "--data", data, "--protocol", "synth", "--out", "synth", *few],
        ["leaderboard", "--results", "synth", "--out", "board"],
        ["report", "--data", data, "--audio", "mine=sound", "--clips", "2", "--out", "report.html"],
        ["list", "--long"],
        ["doctor"],
    ]
    done = without({*EXTRAS, "webdataset"}, commands, tmp_path)
    assert done.returncode == 0, done.stderr
