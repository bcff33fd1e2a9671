"""Find the mechanisms by file name.

A mechanism is the visible part of a group of classes.
"""

from __future__ import annotations

import functools
import importlib

from foleybench.errors import FoleyError
from foleybench.synthfoley.look import Mechanism


@functools.cache
def load_mechanism(name: str) -> Mechanism:
    """Return a mechanism by name.

    Raises:
        FoleyError: The file does not define ``MECHANISM``.
    """
    found = getattr(importlib.import_module(f"{__name__}.{name}"), "MECHANISM", None)
    if not isinstance(found, Mechanism):
        raise FoleyError(f"mechanisms/{name}.py does not define MECHANISM, a Mechanism; every such file must.")
    return found
