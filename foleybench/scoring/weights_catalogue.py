"""List all weights files, with the encoders and protocols of each."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from foleybench import registry

if TYPE_CHECKING:
    from foleybench.api.weights import Weights


@dataclasses.dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """A weights file and its users.

    Attributes:
        weights: The file.
        encoders: Registry names of the encoders that read it, sorted.
        protocols: Registry names of the protocols that score with them, sorted.
    """

    weights: Weights
    encoders: tuple[str, ...]
    protocols: tuple[str, ...]


def weights_files() -> list[WeightsFile]:
    """Return all weights files, those with most protocols first, then by name."""
    encoders = {name: registry.load("encoders", name) for name in registry.names("encoders")}
    wanted = {protocol: encoders_of_protocol(protocol) for protocol in registry.names("protocols")}
    by_file: dict[Weights, list[str]] = {}
    for name, encoder in encoders.items():
        if encoder.weights:
            by_file.setdefault(encoder.weights, []).append(name)
    files = [
        WeightsFile(
            weights=weights,
            encoders=tuple(sorted(names)),
            protocols=tuple(sorted(protocol for protocol, needs in wanted.items() if needs & set(names))),
        )
        for weights, names in by_file.items()
    ]
    return sorted(files, key=lambda file: (-len(file.protocols), file.weights.filename))


def encoders_of_protocol(protocol: str) -> set[str]:
    """Return the encoders that a protocol's metrics need, with those that these build on."""
    from foleybench.features import featurise

    metrics = {name: registry.load("metrics", name) for name in registry.load("protocols", protocol).metrics}
    return set(featurise.encoders_of(featurise.needs_of(metrics)))


def size_text(weights: Weights) -> str:
    """Return a file's size as text: of the file here, else as published, else the least by its layout.

    Example:
        >>> from foleybench.api.weights import Weights
        >>> blank = Weights(filename="absent.pt", url=None, sha256=None, size_bytes=None, licence="MIT")
        >>> size_text(blank)
        'size unknown'
        >>> size_text(dataclasses.replace(blank, n_values=1_200_786_990))
        'at least 4.80 GB'
    """
    if weights.path.is_file():
        return _human(weights.path.stat().st_size)
    if weights.size_bytes:
        return _human(weights.size_bytes)
    # Published weights are float32, four bytes a value.
    return f"at least {_human(4 * weights.n_values)}" if weights.n_values else "size unknown"


def _human(n_bytes: int) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= scale:
            return f"{n_bytes / scale:.3g} {unit}" if n_bytes >= 10 * scale else f"{n_bytes / scale:.2f} {unit}"
    return f"{n_bytes} bytes"
