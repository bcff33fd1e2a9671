"""Choose what is scored: a protocol, single metrics, or both."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foleybench import registry
from foleybench.api.encoder import Encoder
from foleybench.api.metric import Metric
from foleybench.api.protocol import Protocol
from foleybench.errors import FoleyError
from foleybench.features import frontend
from foleybench.features.featurise import encoders_of, needs_of
from foleybench.files import file_sha256
from foleybench.runtime import source_code

# Results of metrics that were scored without a protocol name them in place of one: "metrics:kad_panns+fd_panns".
ALONE = "metrics:"
_NO_PROTOCOL = Protocol(
    title="Single metrics",
    version=1,
    description="Metrics that were asked for by name, on whole clips with the default front end.",
    metrics=(),
    headline={},
    length_tolerance_s=0.25,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choice:
    """A protocol with its metrics and others beside them.

    Attributes:
        protocol: The protocol; one without metrics when only metrics were asked for.
        protocol_name: How to load the protocol (a file with its whole path), or None when only metrics were asked for.
        metrics: The metrics by their names in results and tables (``registry.key``), the protocol's first.
        names: How to load each metric, by the same names.
        left_out: The protocol's metrics that were not asked for; the result is then partial.
    """

    protocol: Protocol
    protocol_name: str | None
    metrics: Mapping[str, Metric]
    names: Mapping[str, str]
    left_out: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        """Return the ``protocol`` section of a result; that of a file also has the hash of its content."""
        if self.protocol_name is None:
            return {"name": ALONE + "+".join(self.metrics), "version": self.protocol.version}
        facts: dict[str, Any] = {"name": registry.key(self.protocol_name), "version": self.protocol.version}
        if registry.is_file(self.protocol_name):
            steps = {
                "crop_s": self.protocol.crop_s,
                "cut_resampled": self.protocol.cut_resampled,
                "frontend": dataclasses.asdict(self.protocol.frontend),
            }
            facts |= {"source_sha256": source_sha256("protocols", self.protocol_name), **steps}
        return facts

    def origin(self, metric: str) -> dict[str, str]:
        """Return the hashes of one metric's code for its result."""
        return code_origin(self.names[metric], self.protocol_name)


def choose(protocol: str | None, metrics: Sequence[str] = ()) -> Choice:
    """Load a protocol and metrics.

    Args:
        protocol: A name or ``path/to/file.py:NAME``; None for the metrics alone, on whole clips.
        metrics: Names of metrics, likewise. Some of the protocol's own: only these are scored, as the protocol scores
            them. Others: in addition to the protocol's.

    Raises:
        UnknownNameError: There is no such protocol, metric, or encoder that a metric needs.
        FoleyError: Neither protocol nor metric is named, a file has a fault, or two files would have one name.
    """
    card = protocol_of(protocol)
    names: dict[str, str] = {}
    own = tuple(name for name in card.metrics if name in metrics) or card.metrics
    for name in map(registry.absolute, (*own, *metrics)):
        key = registry.key(name)
        if names.setdefault(key, name) != name:
            raise FoleyError(f"{names[key]} and {name} would both be called {key} in results. Rename one of the files.")
    if not names:
        raise FoleyError("there is nothing to score: name a protocol, or metrics.")
    found: dict[str, Metric] = {key: registry.load("metrics", name) for key, name in names.items()}
    for key, metric in found.items():
        _check_needs(key, metric)
    return Choice(
        protocol=card,
        protocol_name=None if protocol is None else registry.absolute(protocol),
        metrics=found,
        names=names,
        left_out=tuple(name for name in card.metrics if name not in own),
    )


def protocol_of(name: str | None) -> Protocol:
    """Return a protocol by name or file; for None the one for single metrics, on whole clips."""
    protocol: Protocol = _NO_PROTOCOL if name is None else registry.load("protocols", name)
    return protocol


def code_origin(metric: str, protocol: str | None) -> dict[str, str]:
    """Return the hash of a metric's own file, and that of all code that decides the metric."""
    return {"source_sha256": source_sha256("metrics", metric), "code_sha256": metric_code_sha256(metric, protocol)}


def source_sha256(kind: str, name: str) -> str:
    """Return the SHA-256 of the file that defines a name."""
    return file_sha256(Path(str(registry.module(kind, name).__file__)))


def metric_code_sha256(metric: str, protocol: str | None) -> str:
    """Return the hash of the code of a metric, its encoders and a protocol, with all our modules that they import.

    Args:
        metric: A name or ``path/to/file.py:NAME``.
        protocol: The protocol, likewise, or None.
    """
    encoders = encoders_of(needs_of({metric: registry.load("metrics", metric)}))
    modules = [registry.module("metrics", metric), *(registry.module("encoders", name) for name in encoders)]
    modules += [registry.module("protocols", protocol)] if protocol else []
    # The front end decides the audio that encoders get.
    return source_code.code_sha256(Path(str(module.__file__)) for module in (*modules, frontend))


def _check_needs(name: str, metric: Metric) -> None:
    """Refuse a metric that needs features which no encoder makes."""
    for need in metric.needs.values():
        try:
            encoder: Encoder = registry.load("encoders", need.encoder)
        except FoleyError as error:
            raise type(error)(f"metric {name} needs the encoder {need.encoder!r}: {error}") from error
        if need.layer not in encoder.layers:
            raise FoleyError(
                f"metric {name} needs {need.layer!r} of the encoder {need.encoder!r}, which gives "
                f"{', '.join(encoder.layers)}."
            )
