"""Names to files: a metric, encoder, data set, protocol, command or model is the file of that name.

Names are listed without importing anything; a file is imported when it is used. Third parties add names through the
entry-point groups ``foleybench.<kind>`` (value ``package.module``), and models also as ``file.py:build``.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.metadata
import importlib.util
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from foleybench.errors import FoleyError, UnknownNameError

# kind -> (packages, attribute that the file defines)
KINDS = {
    "commands": (("foleybench.commands",), None),
    "datasets": (("foleybench.datasets",), "DATASET"),
    "encoders": (("foleybench.encoders",), "ENCODER"),
    "metrics": (("foleybench.metrics",), "METRIC"),
    "models": (("foleymodels", "foleymodels.controls"), "MODEL"),
    "protocols": (("foleybench.protocols",), "PROTOCOL"),
}


def names(kind: str) -> list[str]:
    """Return the names of a kind, sorted, without importing the files.

    Folders count when they hold ``__init__.py``; names that start with an underscore are private (shared parts).

    Example:
        >>> "event_f1" in names("metrics")
        True
    """
    return sorted({*_files(kind), *_entry_points(kind)})


def load(kind: str, name: str) -> Any:
    """Import the file of a name and return what it defines.

    Raises:
        UnknownNameError: No such name; the nearest ones are suggested.
        FoleyError: The file does not define what its kind must define.
    """
    found = module(kind, name)
    attribute = KINDS[kind][1]
    return found if attribute is None else _attribute(found, attribute)


def module(kind: str, name: str) -> ModuleType:
    """Return the file of a name as a module.

    Raises:
        UnknownNameError: No such name; the nearest ones are suggested.
    """
    if name not in names(kind):
        raise UnknownNameError(unknown(kind[:-1], name, names(kind)))
    return importlib.import_module(_files(kind).get(name) or _entry_points(kind)[name])


def load_file(spec: str) -> Any:
    """Load ``path/to/file.py:NAME`` (a ``Model``, or a function that returns one).

    Raises:
        FoleyError: The file is missing, cannot be imported, or lacks the name.
    """
    path_text, _, attribute = spec.rpartition(":")
    path = Path(path_text)
    if not path.is_file():
        raise FoleyError(f"no file at {path_text!r}; write it as path/to/file.py:NAME.")
    module_spec = importlib.util.spec_from_file_location(path.stem, path)
    if module_spec is None or module_spec.loader is None:
        raise FoleyError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    found = _attribute(module, attribute)
    return found() if callable(found) else found


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return the message for a name that does not exist, with the nearest ones."""
    choices = sorted(known)
    close = difflib.get_close_matches(name, choices, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"there is no {what} {name!r}.{hint} Known: {', '.join(choices)}."


def _files(kind: str) -> dict[str, str]:
    """Return the modules of a kind by name. A package that is itself searched (``controls``) is no name."""
    if kind not in KINDS:
        raise UnknownNameError(f"there is no kind {kind!r}; kinds are {', '.join(sorted(KINDS))}.")
    packages = KINDS[kind][0]
    found: dict[str, str] = {}
    for package in packages:
        spec = importlib.util.find_spec(package)
        for folder in map(Path, (spec.submodule_search_locations if spec else None) or ()):
            stems = {path.stem for path in folder.glob("[!_]*.py")}
            stems |= {path.parent.name for path in folder.glob("[!_]*/__init__.py")}
            found |= {stem: f"{package}.{stem}" for stem in stems if f"{package}.{stem}" not in packages}
    return found


@functools.cache  # reading the metadata of every installed package takes 20 ms, and loading is asked for per feature
def _entry_points(kind: str) -> dict[str, str]:
    return {point.name: point.value for point in importlib.metadata.entry_points(group=f"foleybench.{kind}")}


def _attribute(module: ModuleType, attribute: str) -> Any:
    if not hasattr(module, attribute):
        raise FoleyError(f"{module.__name__} does not define {attribute}; every file of its kind must.")
    return getattr(module, attribute)
