"""Weights files: source, place, hash; never substituted.

Packaged weights (the ``mini`` evaluators) lie beside the code; where ``$FOLEYBENCH_EVALUATORS`` is set, those in that
folder are used instead of them. All others lie in one folder, ``$FOLEYBENCH_WEIGHTS`` or
``~/.cache/foleybench/weights``, and are fetched by ``foleybench weights fetch NAME`` only when a person asks for it.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from foleybench.api.wheel import Wheel
from foleybench.errors import WeightsMissingError, WrongWeightsError
from foleybench.files import file_md5, file_sha256, write_atomically

# Hashes that the authors do not publish, found in repositories that pin these files; they agree with each other.
PINNED_BY = "public repositories that pin this file"
# Names the folder of other evaluators than the packaged ones.
EVALUATORS = "FOLEYBENCH_EVALUATORS"


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
        packaged_at: Folder inside the package for weights that ship with us; ``$FOLEYBENCH_EVALUATORS`` stands for it
            where it is set.
        made_by: The command that makes packaged weights.
        n_values: Count of numbers in the file's tensors by their layout, where the size is not published.
        md5: Its MD5, where the authors publish only that.
        reported_by: Who says the hash and the size, where it is not the authors.
        wheel: The package that holds the weights, for weights on a package index; ``sha256`` and
            ``size_bytes`` are then those of the file that is written.
    """

    filename: str
    url: str | None
    sha256: str | None
    size_bytes: int | None
    licence: str
    packaged_at: Path | None = None
    made_by: str | None = None
    n_values: int | None = None
    md5: str | None = None
    reported_by: str | None = None
    wheel: Wheel | None = None

    @property
    def path(self) -> Path:
        """Where the file is expected."""
        folder = (evaluators_folder() or self.packaged_at) if self.packaged_at else weights_folder()
        return folder / self.filename

    @property
    def hashed(self) -> bool:
        """Whether a hash of the file is known."""
        return bool(self.sha256 or self.md5)


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


def evaluators_folder() -> Path | None:
    """Return the folder of evaluators that are used instead of the packaged ones, or None for those."""
    named = os.environ.get(EVALUATORS)
    return Path(named) if named else None


def require(encoder: str, weights: Weights) -> Path:
    """Return the path of an encoder's weights, verified.

    Raises:
        WeightsMissingError: The file is absent; the message names the command that gets the file.
        WrongWeightsError: The file is neither the known one nor one that was accepted.
    """
    path = weights.path
    if not path.is_file():
        raise WeightsMissingError(
            f"weights of {encoder!r} are not at {path}. Get them with `{how_to_get(weights, encoder)}`."
            f"{or_packaged(weights)}"
        )
    try:
        check_weights(path, weights)
    except WrongWeightsError as error:
        if _accepted(weights) != file_sha256(path):
            raise WrongWeightsError(
                f"{error} Run `foleybench weights fetch {encoder}` to set it aside and get the known one, or "
                f"`foleybench weights accept {encoder}` to use it as it is."
            ) from error
    return path


def how_to_get(weights: Weights, *encoders: str) -> str:
    """Return the command that gets the weights of encoders."""
    return weights.made_by or f"foleybench weights fetch {' '.join(encoders)}"


def or_packaged(weights: Weights) -> str:
    """Return a sentence on the packaged file, which never stands in for one that was asked for; "" if none was."""
    folder = evaluators_folder() if weights.packaged_at else None
    return f" {EVALUATORS} is set to {folder}; unset it to score with the packaged evaluators." if folder else ""


def check_weights(path: Path, weights: Weights) -> None:
    """Check a file against the known size and hashes.

    Raises:
        WrongWeightsError: The file differs; the message says what the file is where that can be seen.
    """
    known = f"file that {weights.reported_by} report" if weights.reported_by else "published file"
    refused = f"{path} is not the {known}:"
    with path.open("rb") as handle:
        other = impostor(handle.read(1024))
    if other:
        raise WrongWeightsError(f"{refused} it is {other}.")
    size = path.stat().st_size
    if weights.size_bytes is not None and size != weights.size_bytes:
        raise WrongWeightsError(f"{refused} it has {size:,} bytes, wanted {weights.size_bytes:,}.")
    for kind, wanted, digest in (("SHA-256", weights.sha256, file_sha256), ("MD5", weights.md5, file_md5)):
        if wanted and not (found := digest(path)).startswith(wanted):
            raise WrongWeightsError(f"{refused} its {kind} starts {found[:16]}, wanted {wanted[:16]}.")


def impostor(head: bytes) -> str:
    r"""Return what kind of other file this is, by its first bytes; "" when it may be a file of weights.

    Example:
        >>> impostor(b"version https://git-lfs.github.com/spec/v1\noid sha256:302903fa")
        'a Git LFS pointer (the name of a file, without its content)'
        >>> impostor(b"\n<!DOCTYPE html><title>Too many requests</title>")
        'a web page'
        >>> impostor(b"PK")
        ''
    """
    start = head.lstrip().lower()
    if start.startswith(b"version https://git-lfs.github.com/"):
        return "a Git LFS pointer (the name of a file, without its content)"
    if start.startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "a web page"
    return "" if head else "an empty file"


def accept(weights: Weights) -> str:
    """Record that the file here is to be used although it is not the known one; return its SHA-256.

    Raises:
        FoleyError: The note cannot be written.
    """
    digest = file_sha256(weights.path)
    write_atomically(_note_of_acceptance(weights), f"{digest}\n".encode())
    return digest


def forget_acceptance(weights: Weights) -> None:
    """Delete the record that the file here is to be used."""
    _note_of_acceptance(weights).unlink(missing_ok=True)


def _accepted(weights: Weights) -> str | None:
    """Return the SHA-256 of the file that a person accepted, or None."""
    try:
        return _note_of_acceptance(weights).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None


def _note_of_acceptance(weights: Weights) -> Path:
    return weights.path.with_name(f"{weights.filename}.accepted")
