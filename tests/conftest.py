"""What many tests use: a small data set of clicks, clips made without workers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

from tests import made_clicks
from tests.prepared_here import run_here

# The same hundred examples every time, so that a change is what makes a test fail; a number in HYPOTHESIS_EXAMPLES
# looks for so many others.
SEARCHED = int(os.environ.get("HYPOTHESIS_EXAMPLES", "0"))
hypothesis.settings.register_profile(
    "foleybench", max_examples=SEARCHED or 100, derandomize=not SEARCHED, database=None, deadline=None
)
hypothesis.settings.load_profile("foleybench")

collect_ignore = ["plugin_package"]  # a package of its own, which only test_plugins.py can import


@pytest.fixture(scope="session")
def make_clicks() -> Callable[..., Path]:
    """Return the function (folder, number of clips) -> manifest of a data set named ``clicks``."""
    return made_clicks.make_clicks


@pytest.fixture(scope="session")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the manifest of six clips of two seconds."""
    return made_clicks.make_clicks(tmp_path_factory.mktemp("clicks"), 6)


@pytest.fixture
def workers_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prepare without worker processes, each of which takes half a second to start; tests/prepare tests those."""
    monkeypatch.setattr("foleybench.prepare.engine.run_tasks", run_here)
