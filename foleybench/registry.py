"""Names to files: the one way in for plug-ins.

A name is the file of that name in the folder of its kind. Others add names of every kind by the entry-point groups
``foleybench.<kind>`` (value ``package.module`` or ``package.module:NAME``), and give a single file as
``path/to/file.py:NAME``. Names are listed without importing anything; a file is imported when it is used.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import sys
import tokenize
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from foleybench.errors import FoleyError, UnknownNameError, unknown


class _Kind(NamedTuple):
    """A kind of plug-in: where its files lie, what each defines, and the class of that."""

    packages: tuple[str, ...]
    attribute: str = ""
    contract: str = ""


KINDS = {
    "commands": _Kind(("foleybench.commands",)),
    "datasets": _Kind(("foleybench.datasets",), "DATASET", "foleybench.api.dataset:Dataset"),
    "encoders": _Kind(("foleybench.encoders",), "ENCODER", "foleybench.api.encoder:Encoder"),
    "metrics": _Kind(("foleybench.metrics",), "METRIC", "foleybench.api.metric:Metric"),
    "models": _Kind(("foleymodels", "foleymodels.controls"), "MODEL", "foleybench.api.model:Model"),
    "protocols": _Kind(("foleybench.protocols",), "PROTOCOL", "foleybench.api.protocol:Protocol"),
}
# What a file that somebody is just writing raises when it is imported.
_FAULTS = (
    *(SyntaxError, ImportError, NameError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError),
    *(AssertionError, RuntimeError, OSError),
)


class _Place(NamedTuple):
    """Where a name is defined. ``package`` is "" for our own, else the distribution that brings it."""

    module: str
    attribute: str
    package: str


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

    Args:
        kind: One of ``KINDS``.
        name: A name of the kind, or ``path/to/file.py:NAME``.

    Raises:
        UnknownNameError: No such name; the nearest ones are suggested.
        FoleyError: The file is missing, cannot be imported, does not define what its kind must define, or the name is
            defined twice.
    """
    if is_file(name):
        return _contents(kind, _file_module(name), name.rpartition(":")[2], name)
    place = _place(kind, name)
    found = _import(kind, name, place)
    if not place.attribute:
        return found
    return _contents(kind, found, place.attribute, name) if place.package else getattr(found, place.attribute)


def module(kind: str, name: str) -> ModuleType:
    """Return the file of a name as a module, for its docstring, its path and what it says beside its card.

    Raises:
        UnknownNameError: No such name; the nearest ones are suggested.
        FoleyError: It cannot be imported.
    """
    return _file_module(name) if is_file(name) else _import(kind, name, _place(kind, name))


def is_file(name: str) -> bool:
    """Return whether a name is ``path/to/file.py:NAME``."""
    return ".py:" in name


def key(name: str) -> str:
    """Return what results and tables call a name: itself, or a file without its folder.

    Example:
        >>> key("event_f1"), key("work/metrics/mine.py:METRIC")
        ('event_f1', 'mine.py:METRIC')
    """
    return Path(name).name if is_file(name) else name


def absolute(name: str) -> str:
    """Return a name as other processes can load it: a file with its whole path."""
    return str(Path(name).absolute()) if is_file(name) else name


def owners(kind: str, name: str) -> tuple[str, ...]:
    """Return the distributions that define a name: ``("foleybench",)`` for our own. Of two, ``load`` takes neither."""
    return tuple(place.package or "foleybench" for place in _places(kind, name))


def path(kind: str, name: str) -> Path | None:
    """Return the path of a name's file without importing it, or None when it is not a Python file on disk."""
    own = _files(kind).get(name)
    return own[1] if own else _module_file(_places(kind, name)[0].module)


def summary(kind: str, name: str) -> str:
    """Return the first line of the docstring of a name's file, "" without one; nothing is imported."""
    file = path(kind, name)
    try:
        with tokenize.open(file or "") as text:
            tokens = tokenize.generate_tokens(text.readline)
            first = next(t for t in tokens if t.type not in (tokenize.COMMENT, tokenize.NL))
            words = ast.literal_eval(first.string) if first.type == tokenize.STRING else ""
    except (OSError, SyntaxError, ValueError, tokenize.TokenError):
        return ""
    return words.strip().partition("\n")[0] if isinstance(words, str) else ""


def refresh() -> None:
    """Forget which names were found: after a package was installed or ``sys.path`` changed in a running process."""
    importlib.invalidate_caches()
    _files.cache_clear()
    _entry_points.cache_clear()


def _places(kind: str, name: str) -> list[_Place]:
    """Return everywhere that a name is defined, ours first."""
    own = _files(kind).get(name)
    ours = [_Place(own[0], KINDS[kind].attribute, "")] if own else []
    places = [*ours, *_entry_points(kind).get(name, ())]
    if places:
        return places
    if name.endswith(".py"):
        raise UnknownNameError(f"say what to take of the file: {name}:{KINDS[kind].attribute or 'NAME'}.")
    raise UnknownNameError(unknown(kind[:-1], name, names(kind)))


def _place(kind: str, name: str) -> _Place:
    """Return where a name is defined; once, or it is refused: which of two is meant would be anybody's guess."""
    places = _places(kind, name)
    if len(places) > 1:
        raise FoleyError(
            f"the {kind[:-1]} {name!r} is defined by {' and by '.join(owners(kind, name))}. "
            "Uninstall one of the packages, or have it take another name."
        )
    return places[0]


def _import(kind: str, name: str, place: _Place) -> ModuleType:
    if not place.package:
        return importlib.import_module(place.module)
    try:
        return importlib.import_module(place.module)
    except _FAULTS as error:
        what = f"the {kind[:-1]} {name!r} of the package {place.package!r}"
        raise FoleyError(f"{what} cannot be imported: {_words(error, _module_file(place.module))}") from error


@functools.cache  # looking through the folders for every name that is loaded would take longer than loading
def _files(kind: str) -> dict[str, tuple[str, Path]]:
    """Return our modules of a kind and their files, by name. A package that is itself searched is no name."""
    if kind not in KINDS:
        raise UnknownNameError(f"there is no kind {kind!r}; kinds are {', '.join(sorted(KINDS))}.")
    packages = KINDS[kind].packages
    found: dict[str, tuple[str, Path]] = {}
    for package in packages:
        spec = importlib.util.find_spec(package)
        for folder in map(Path, (spec.submodule_search_locations if spec else None) or ()):
            paths = {path.stem: path for path in folder.glob("[!_]*.py")}
            paths |= {path.parent.name: path for path in folder.glob("[!_]*/__init__.py")}
            found |= {stem: (f"{package}.{stem}", path) for stem, path in paths.items()}
    return {name: place for name, place in found.items() if place[0] not in packages}


@functools.cache  # reading the metadata of every installed package takes 20 ms, and loading is asked for per feature
def _entry_points(kind: str) -> dict[str, tuple[_Place, ...]]:
    found: dict[str, tuple[_Place, ...]] = {}
    for point in importlib.metadata.entry_points(group=f"foleybench.{kind}"):
        owner = point.dist.name if point.dist else point.module
        place = _Place(point.module, point.attr or KINDS[kind].attribute, owner)
        found[point.name] = (*found.get(point.name, ()), place)
    return found


def _module_file(name: str) -> Path | None:
    """Return the file of a module without importing it, nor the packages that it lies in."""
    top, *rest = name.split(".")
    spec = sys.modules[top].__spec__ if top in sys.modules else importlib.util.find_spec(top)
    if spec is None:
        return None
    if not spec.submodule_search_locations:
        return Path(spec.origin) if spec.origin and not rest else None
    for folder in spec.submodule_search_locations:
        path = Path(folder, *rest)
        for candidate in (path / "__init__.py", path.with_name(f"{path.name}.py")):
            if candidate.is_file():
                return candidate
    return None


def _file_module(spec: str) -> ModuleType:
    """Return the file of ``path/to/file.py:NAME`` as a module; run again only when it has changed."""
    path = Path(spec.rpartition(":")[0]).absolute()
    if not path.is_file():
        raise FoleyError(f"no file at {str(path)!r}; write it as path/to/file.py:NAME.")
    stat = path.stat()
    return _run_file(path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=64)
def _run_file(path: Path, mtime_ns: int, size: int) -> ModuleType:
    # A name of its own: the file must not take the place of a module that is called like it.
    name = f"_foleybench_file_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FoleyError(f"{path} is not a Python file.")
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made  # data classes look their module up
    try:
        spec.loader.exec_module(made)
    except _FAULTS as error:
        del sys.modules[name]
        raise FoleyError(f"{path} cannot be imported: {_words(error, path)}") from error
    return made


def _words(error: BaseException, path: Path | None) -> str:
    """Return a fault of a file as a sentence, with the line of the file that it goes back to."""
    if isinstance(error, SyntaxError) and error.lineno:
        where = f"line {error.lineno}"
        return f"{where if error.filename == str(path) else f'{error.filename}, {where}'}: {error.msg}. Correct it."
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f"line {lines[-1]}: " if lines else ""
    return f"{where}{type(error).__name__}: {error}. Correct it."


def _contents(kind: str, found: ModuleType, attribute: str, name: str) -> Any:
    """Return what a third party's file defines (for a function what it returns), held to the contract of its kind."""
    if not hasattr(found, attribute):
        raise FoleyError(f"{name}: {found.__file__} does not define {attribute}.")
    contents = getattr(found, attribute)
    where, _, wanted = KINDS[kind].contract.partition(":")
    contract: type = getattr(importlib.import_module(where), wanted)
    if callable(contents) and not isinstance(contents, contract):
        try:
            contents = contents()
        except _FAULTS as error:
            raise FoleyError(f"{name} is no {wanted}, and calling it gives none: {_words(error, None)}") from error
    if not isinstance(contents, contract):
        raise FoleyError(f"{name} gives a {type(contents).__name__}; a {wanted} of {where} is wanted.")
    return contents
