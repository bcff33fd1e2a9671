"""What many tests use: a small data set of clicks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import made_clicks


@pytest.fixture(scope="session")
def make_clicks() -> Callable[..., Path]:
    """Return the function (folder, number of clips) -> manifest of a data set named ``clicks``."""
    return made_clicks.make_clicks


@pytest.fixture(scope="session")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the manifest of six clips of two seconds."""
    return made_clicks.make_clicks(tmp_path_factory.mktemp("clicks"), 6)
