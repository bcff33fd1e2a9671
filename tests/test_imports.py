"""Every module can be imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
        print(found.name)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("package", "at_least"), [("foleybench", 200), ("foleymodels", 80)])
def test_every_module_can_be_imported(package: str, at_least: int):
    command = [sys.executable, "-W", "error::SyntaxWarning", "-c", IMPORT_ALL, package]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) > at_least
