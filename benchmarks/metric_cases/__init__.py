"""Cases of ``metric_agreement.py``: one file a family of metrics, each defines ``CASES``."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np

# Where a peer computes in float64, and where in float32.
DOUBLE, SINGLE = 1e-6, 1e-4
# Of inputs that several cases share; the command sets it.
SHARED = {"seed": 0}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """One comparison.

    Attributes:
        metric: Registry name of ours.
        protocol: The preset that uses it, or "".
        peer: The peer's repository, ``owner/name``; its checkout lies at ``PEERS/owner+name``. Or a library's name.
        function: What of it is run.
        measure: Takes that checkout and a generator of fresh inputs; returns (ours, theirs).
        tolerance: Largest allowed relative difference; None where we differ on purpose.
        reason: Why we differ on purpose.
    """

    metric: str
    protocol: str
    peer: str
    function: str
    measure: Callable[[Path, np.random.Generator], tuple[float, float]]
    tolerance: float | None = DOUBLE
    reason: str = ""


def functions_of(path: Path, *names: str, **given: Any) -> dict[str, Any]:
    """Run the named top-level functions and all constants of a peer's file, and its imports as far as they exist.

    Args:
        path: The file.
        names: Functions (or classes) that are wanted.
        given: Names that the file takes from elsewhere.

    Returns:
        The namespace in which they were defined.
    """
    space: dict[str, Any] = {"__name__": path.stem, "__builtins__": builtins}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            space |= _imported(node)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            _run(node, space, needed=node.name in names)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.Call | ast.BinOp):
            _run(node, space, needed=False)
    space.update(given)  # in place: the functions look their globals up here
    return space


def _run(node: ast.stmt, space: dict[str, Any], *, needed: bool) -> None:
    try:
        exec(compile(ast.Module(body=[node], type_ignores=[]), "peer", "exec"), space)
    except Exception:  # a peer's file may fail in any way where its imports are dummies; only what is needed counts
        if needed:
            raise


def _imported(node: ast.Import | ast.ImportFrom) -> dict[str, Any]:
    """Import what can be imported; anything else becomes a dummy under its name."""
    found = {}
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        try:
            if isinstance(node, ast.Import):
                found[name] = importlib.import_module(alias.name if alias.asname else name)
                importlib.import_module(alias.name)
            else:
                if node.level:
                    raise ImportError("relative")
                found[name] = getattr(importlib.import_module(str(node.module)), alias.name)
        except (ImportError, AttributeError):
            found[name] = MagicMock()
    return found
