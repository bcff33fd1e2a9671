"""Find the results and reported values that ship with foleybench.

In a clone they are the ``leaderboards/`` folder; in an installed wheel ``foleybench/shipped`` holds copies of
``published.csv`` and ``results/``, which the build puts there (``pyproject.toml``, force-include).
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def folder() -> Path:
    """Return the folder with ``published.csv`` and ``results/``."""
    installed = _PACKAGE / "shipped"
    return installed if installed.is_dir() else _PACKAGE.parent / "leaderboards"


def published() -> Path:
    """Return the list of reported values."""
    return folder() / "published.csv"


def results() -> Path:
    """Return the folder of result files."""
    return folder() / "results"
