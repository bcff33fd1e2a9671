"""The workflow of the leaderboard: valid, and its paths and targets exist."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "leaderboard.yml"


def test_it_starts_on_what_decides_the_tables():
    content = yaml.safe_load(WORKFLOW.read_text())
    triggers = content[True]  # YAML reads the key `on` as a truth value
    assert triggers["push"]["paths"] == triggers["pull_request"]["paths"]
    for pattern in triggers["push"]["paths"]:
        assert (ROOT / pattern.removesuffix("/**")).exists(), pattern
    starts = " ".join(triggers["push"]["paths"])
    for decides in ("leaderboards", "foleybench/leaderboard", "foleybench/stats", "foleybench/metrics"):
        assert f"{decides}/**" in starts


def test_its_targets_are_in_the_makefile():
    targets = set(re.findall(r"^([a-z./-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"leaderboard-make", "leaderboard-check", "site", ".venv/installed"} <= targets
    used = set(re.findall(r"make ([a-z./-]+)", WORKFLOW.read_text()))
    assert used - {"leaderboard-"} <= targets
