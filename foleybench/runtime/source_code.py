"""Hash the code that makes a number.

The hash changes with the code's effect, not its explanation: comments, docstrings, layout and the texts of cards
(titles, descriptions, sources) are left out, and so are the few modules of ours that compute nothing. Imports are read,
never executed, including those inside functions. An ``__init__.py`` counts when one of its definitions is imported, not
when it only lies on the path.
"""

from __future__ import annotations

import ast
import csv
import functools
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

_OUR_FOLDER = Path(__file__).resolve().parents[1]
# The folders of our packages: side by side when installed, two folders in the repository.
_BESIDE = (_OUR_FOLDER.parent, _OUR_FOLDER.parent / "models")
_OURS = ("foleybench", "foleymodels")
# Errors, files and places of weights: changes there change no number. (Weights have hashes of their own.)
_COMPUTE_NOTHING = frozenset(
    {"foleybench.errors", "foleybench.files", "foleybench.api.weights", "foleybench.api.wheel"}
)
# Arguments of a metric, protocol or encoder that are texts for people.
_CARD_WORDS = frozenset({"title", "description", "undefined", "licence", "source", "citation"})


class _File(NamedTuple):
    """The hash, imports and exports of a file.

    Attributes:
        digest: Hash of its code.
        imports: (module, name) of each ``from module import name``; the name is "" for ``import module``.
        exports: Name -> (module, name) that it is imported from, for the names that are only passed on.
    """

    digest: str
    imports: tuple[tuple[str, str], ...]
    exports: Mapping[str, tuple[str, str]]


def code_sha256(paths: Iterable[Path]) -> str:
    """Return the hash of the code of some files and of what they import of foleybench and of their own package.

    Args:
        paths: Python files; those of a plug-in may lie anywhere. The order does not matter.

    Raises:
        OSError: A file cannot be read.
        SyntaxError: A file is not Python.
    """
    found: dict[str, str] = {}
    for path in paths:
        found.update(_closure(path.resolve()))
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(found.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def imported_files(path: Path) -> list[str]:
    """Return the modules that the code of a file consists of, itself included, sorted."""
    return sorted(_closure(path.resolve()))


def _closure(start: Path) -> dict[str, str]:
    """Return the digest of each module that a file needs, by name; its own for a file outside a package."""
    module, roots = _home(start)
    found: dict[str, str] = {}
    waiting = [(module, start)]
    while waiting:
        name, path = waiting.pop()
        if name in found or name in _COMPUTE_NOTHING:
            continue
        file = _read(path, name)
        found[name] = file.digest
        waiting += [place for target in file.imports if (place := _resolve(*target, roots))]
    return found


def _home(path: Path) -> tuple[str, dict[str, Path]]:
    """Return the name of a file's module, and the folders of the packages to follow from it, by name."""
    top = path.parent
    while (top / "__init__.py").is_file():
        top = top.parent
    parts = list(path.relative_to(top).with_suffix("").parts)
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    roots = {name: folder / name for name in _OURS for folder in _BESIDE if (folder / name).is_dir()}
    if len(parts) > 1:
        return module, roots | {parts[0]: top / parts[0]}
    # A file on its own: what lies beside it is its package.
    beside = {other.stem: other.with_suffix("") for other in top.glob("*.py")}
    beside |= {other.parent.name: other.parent for other in top.glob("*/__init__.py")}
    installed = _installed_with(path)
    return f"./{path.name}", {name: place for name, place in beside.items() if name in (installed or beside)} | roots


@functools.lru_cache
def _installed_with(path: Path) -> frozenset[str] | None:
    """Return the top modules and packages that an installed distribution put beside a file; None for other files.

    In a folder of installed packages, what lies beside a file is mostly other people's.
    """
    for record in path.parent.glob("*.dist-info/RECORD"):
        with record.open(newline="", encoding="utf-8", errors="replace") as handle:
            names = [row[0] for row in csv.reader(handle) if row]
        if path.name in names:
            return frozenset(name.split("/")[0].removesuffix(".py") for name in names)
    return None


def _resolve(module: str, name: str, roots: Mapping[str, Path]) -> tuple[str, Path] | None:
    """Return the module that an import brings in, and its file; None when it is not followed."""
    found: tuple[str, Path] | None = None
    seen: set[tuple[str, str]] = set()
    # Seen: a package may take a compiled module from itself, as `from . import name`.
    while (module, name) not in seen:
        seen.add((module, name))
        whole = f"{module}.{name}" if name else module
        if path := _file_of(whole, roots):
            return whole, path
        path = _file_of(module, roots)
        if path is None:
            break
        found = module, path
        exports = _read(path, module).exports if path.name == "__init__.py" else {}
        module, name = exports.get(name, (module, name))
    return found


def _file_of(module: str, roots: Mapping[str, Path]) -> Path | None:
    top, *rest = module.split(".")
    if top not in roots:
        return None
    path = roots[top].joinpath(*rest)
    candidates = (path / "__init__.py", path.with_name(f"{path.name}.py"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _read(path: Path, module: str) -> _File:
    stat = path.stat()
    return _parse(path, module, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=1024)
def _parse(path: Path, module: str, mtime_ns: int, size: int) -> _File:
    tree = ast.parse(path.read_bytes(), str(path))
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    digest = hashlib.sha256()
    for word in _words(tree):
        digest.update(word.encode() + b"\n")
    exports = {
        alias.asname or alias.name: (_absolute(node, package), alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return _File(digest.hexdigest(), tuple(_imports(tree, package)), exports)


def _imports(node: ast.AST, package: str) -> Iterator[tuple[str, str]]:
    """Yield the imports of a tree, (module, name), except those only for annotations."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from ((_absolute(node, package), alias.name) for alias in node.names)
    else:
        checking = isinstance(node, ast.If) and _is_type_checking(node.test)
        for child in node.orelse if checking and isinstance(node, ast.If) else ast.iter_child_nodes(node):
            yield from _imports(child, package)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    parts = package.split(".")
    above = parts[: len(parts) - node.level + 1] if node.level else []
    return ".".join([*above, *filter(None, [node.module])])


def _is_type_checking(test: ast.expr) -> bool:
    return getattr(test, "id", getattr(test, "attr", "")) == "TYPE_CHECKING"


def _words(node: ast.AST) -> Iterator[str]:
    """Yield a tree's content, without positions, docstrings and the texts of cards.

    Empty fields are left out: newer versions of Python add some, so what ``ast.dump`` gives depends on the version.
    """
    yield type(node).__name__
    for name, value in ast.iter_fields(node):
        values = value if isinstance(value, list) else [value]
        kept = [item for item in values if item is not None and not _is_prose(item)]
        if not kept or name in ("ctx", "kind", "type_comment"):
            continue
        yield f".{name}"
        for item in kept:
            if isinstance(item, ast.AST):
                yield from _words(item)
            else:
                yield repr(item)
        yield "/"


def _is_prose(node: object) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    constant = isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant)
    return constant and getattr(node, "arg", "") in _CARD_WORDS
