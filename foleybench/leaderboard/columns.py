"""Choose the columns of a table, and their order."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

from foleybench import registry
from foleybench.api.metric import Metric
from foleybench.api.protocol import Protocol
from foleybench.artefacts.entries import ResultEntry
from foleybench.stats.pools import Ratio


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column:
    """One metric of a table.

    Attributes:
        name: Registry name.
        title: Heading.
        unit: Unit.
        better: Direction.
        version: The current version: this installation's, or the newest in any result if the metric is not installed.
        axis: The axis of quality whose headline the metric is, or "".
        metric: The installed metric, or None.
    """

    name: str
    title: str
    unit: str
    better: Literal["higher", "lower"]
    version: int
    axis: str = ""
    metric: Metric | None = None

    @property
    def unranked(self) -> str:
        """Why no system has a rank in this column, or ""."""
        return self.metric.unranked if self.metric else ""

    @property
    def summed(self) -> bool:
        """Whether the value divides sums over all clips, so that it is not the mean of the clips' values."""
        return self.metric is not None and isinstance(self.metric.pool, Ratio) and bool(self.metric.pool.below)


def installed(kind: str, name: str) -> Any:
    """Return the plug-in of a name, or None when this installation has none."""
    return registry.load(kind, name) if name in registry.names(kind) else None


def columns_of(entries: Sequence[ResultEntry], protocol: Protocol | None) -> tuple[Column, ...]:
    """Return the columns of a table: the protocol's metrics in its order, then others that a result has.

    Args:
        entries: The results.
        protocol: Their protocol, or None when it is not installed.
    """
    seen = sorted({name for entry in entries for name in entry.result["metrics"]})
    wanted = list(protocol.metrics) if protocol else []
    axes = {metric: axis for axis, metric in protocol.headline.items()} if protocol else {}
    names = [*wanted, *(name for name in seen if name not in wanted)]
    return _in_place([_column(name, entries, axes.get(name, "")) for name in names])


def _in_place(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Put metrics that are to be read with others behind the last of these."""
    placed = [column for column in columns if not _read_with(column)]
    for column in filter(_read_with, columns):
        behind = [number for number, other in enumerate(placed, start=1) if other.name.startswith(_read_with(column))]
        placed.insert(max(behind, default=len(placed)), column)
    return tuple(placed)


def _read_with(column: Column) -> str:
    return column.metric.beside if column.metric else ""


def _column(name: str, entries: Sequence[ResultEntry], axis: str) -> Column:
    metric: Metric | None = installed("metrics", name)
    if metric:
        return Column(
            name=name,
            title=metric.title,
            unit=metric.unit,
            better=metric.better,
            version=metric.version,
            axis=axis,
            metric=metric,
        )
    records = [entry.result["metrics"][name] for entry in entries if name in entry.result["metrics"]]
    newest = max(records, key=lambda record: int(record["version"]))
    return Column(
        name=name, title=name, unit=newest["unit"], better=newest["better"], version=int(newest["version"]), axis=axis
    )
