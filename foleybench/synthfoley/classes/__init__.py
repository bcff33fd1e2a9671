"""Find the classes of the corpus by file name."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path

from foleybench.errors import FoleyError, UnknownNameError, unknown
from foleybench.synthfoley.contract import SoundClass


@functools.lru_cache(maxsize=1)
def class_names() -> tuple[str, ...]:
    """Return the names of all classes, sorted, without importing them."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py")))


@functools.cache
def load_class(name: str) -> SoundClass:
    """Return a class by name.

    Raises:
        UnknownNameError: No such class.
        FoleyError: The file does not define ``CLASS``.
    """
    if name not in class_names():
        raise UnknownNameError(unknown("SynthFoley class", name, class_names()))
    found = getattr(importlib.import_module(f"{__name__}.{name}"), "CLASS", None)
    if not isinstance(found, SoundClass):
        raise FoleyError(f"classes/{name}.py does not define CLASS, a SoundClass; every class file must.")
    return found
