"""Record where a number came from: commit, command, versions."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import shlex
import subprocess
import sys
from pathlib import Path

from foleybench.runtime.private_paths import word_without_places

PACKAGES = ("numpy", "scipy", "torch", "torchaudio", "soundfile", "av", "hear21passt")


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that can change a number and are installed, and Python's."""
    found = {name: version for name in PACKAGES if (version := _installed_version(name))}
    return {"python": platform.python_version(), **found}


@functools.cache  # every result asks, and reading the files takes 11 ms
def _installed_version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def git_state() -> dict[str, str | bool] | None:
    """Return commit and dirtiness of the checkout that the code runs from, or None outside one."""
    folder = Path(__file__).resolve().parents[1]
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    # Generated tables and results do not decide numbers, so they do not make a checkout dirty.
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".", "../models", "../pyproject.toml")
    return {"commit": commit, "dirty": bool(changes)}


def command_line() -> str:
    """Return the command as typed, with the program's own name, and without paths that lead out of this folder.

    It is published with the numbers that it made: ``runtime.private_paths`` says what is left of a path.
    """
    return shlex.join(["foleybench", *map(word_without_places, sys.argv[1:])])


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
