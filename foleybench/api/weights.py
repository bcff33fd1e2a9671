"""Weights files: source, place, hash; never substituted.

Packaged weights (the ``mini`` evaluators) lie beside the code. All others lie in one folder, ``$FOLEYBENCH_WEIGHTS`` or
``~/.cache/foleybench/weights``, and are fetched by ``foleybench weights fetch NAME`` only when a person asks for it.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from foleybench.errors import FoleyError, WeightsMissingError
from foleybench.files import file_sha256


@dataclasses.dataclass(frozen=True, kw_only=True)
class Weights:
    """One weights file.

    Attributes:
        filename: Its name in the weights folder (or in the package).
        url: Where the authors publish it, or None for packaged weights.
        sha256: Its SHA-256, or a leading part of it when the authors publish only that, or None when nobody does; the
            hash of the file that was used is in every result in any case.
        size_bytes: Its size, or None when unknown.
        licence: Licence of the weights.
        packaged_at: Folder inside the package for weights that ship with us.
        made_by: The command that makes packaged weights.
        n_values: How many numbers the file's tensors hold by their layout, where the size is not published.
    """

    filename: str
    url: str | None
    sha256: str | None
    size_bytes: int | None
    licence: str
    packaged_at: Path | None = None
    made_by: str | None = None
    n_values: int | None = None

    @property
    def path(self) -> Path:
        """Where the file is expected."""
        return (self.packaged_at or weights_folder()) / self.filename


def shipped_mini(encoder: str) -> Weights:
    """Return the weights of one of our small evaluators, which lie beside the encoders in the package."""
    return Weights(
        filename=f"{encoder}.safetensors",
        url=None,
        sha256=None,
        size_bytes=None,
        licence="MIT",
        packaged_at=Path(__file__).parents[1] / "encoders" / "mini",
        made_by="foleybench train evaluators",
    )


def weights_folder() -> Path:
    """Return the folder for fetched weights."""
    named = os.environ.get("FOLEYBENCH_WEIGHTS")
    return Path(named) if named else Path.home() / ".cache" / "foleybench" / "weights"


def require(encoder: str, weights: Weights) -> Path:
    """Return the path of an encoder's weights, verified.

    Raises:
        WeightsMissingError: The file is absent; the message names the command that gets it.
        FoleyError: The file is there and is not the published one.
    """
    path = weights.path
    if not path.is_file():
        command = weights.made_by or f"foleybench weights fetch {encoder}"
        raise WeightsMissingError(f"weights of {encoder!r} are not at {path}. Get them with `{command}`.")
    digest = file_sha256(path)
    if weights.sha256 and not digest.startswith(weights.sha256):
        raise FoleyError(
            f"{path} is not the published file of {encoder!r}: its SHA-256 starts {digest[:16]}, "
            f"wanted {weights.sha256[:16]}. Delete it and run `foleybench weights fetch {encoder}`."
        )
    return path
