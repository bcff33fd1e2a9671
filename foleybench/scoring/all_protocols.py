"""Score the same audio under every protocol, side by side.

Each protocol is scored with those of its metrics that can be computed on this machine; the others are named with the
reason. Audio is decoded once a protocol, features come from the shared cache where the protocols agree.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence
from typing import Any

from foleybench import registry
from foleybench.api.protocol import Protocol
from foleybench.errors import FoleyError
from foleybench.scoring.evaluate import EvalRequest, evaluate
from foleybench.scoring.weights_here import cannot_run
from foleybench.shards.folder_dataset import open_dataset

_COLUMNS = (
    "quantity",
    "protocol",
    "metric",
    "value",
    "low",
    "high",
    "corrected",
    "unit",
    "n_used",
    "n_asked",
    "reason",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProtocolCell:
    """One quantity under one protocol.

    Attributes:
        quantity: The quantity's name in papers' tables; else the metric's title.
        protocol: Registry name.
        metric: Registry name.
        value: The number, or None.
        low: Lower end of the 95 % interval, or None.
        high: Upper end, or None.
        corrected: Corrected for the number of clips, or None.
        unit: Unit of the metric.
        n_used: Clips that the value was computed from.
        n_asked: Clips asked for.
        reason: Reason for a missing value, else "".
    """

    quantity: str
    protocol: str
    metric: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    corrected: float | None = None
    unit: str = ""
    n_used: int = 0
    n_asked: int = 0
    reason: str = ""


def score_under_all(request: EvalRequest, protocols: Sequence[str] | None = None) -> list[ProtocolCell]:
    """Score one audio folder under several protocols.

    Args:
        request: As for one protocol; its ``protocol`` and ``only`` are set here.
        protocols: Registry names, or None for all.

    Raises:
        FoleyError: No metric of any protocol can be computed.
    """
    dataset = open_dataset(request.data).name
    cells = []
    for name in protocols or registry.names("protocols"):
        cells += _score_one(request, name, registry.load("protocols", name), dataset)
    if all(cell.value is None for cell in cells):
        raise FoleyError(f"no metric of any protocol has a value: {cells[0].protocol} says {cells[0].reason}")
    return cells


def _score_one(request: EvalRequest, name: str, protocol: Protocol, dataset: str) -> list[ProtocolCell]:
    quantity = {metric: words for words, metric in protocol.quotes.items()}
    reasons = {metric: cannot_run(metric) for metric in protocol.metrics}
    if protocol.dataset not in (None, dataset):
        reasons = dict.fromkeys(protocol.metrics, f"made for the data set {protocol.dataset}")
    able = tuple(metric for metric, reason in reasons.items() if not reason)
    records = evaluate(dataclasses.replace(request, protocol=name, only=able))[0]["metrics"] if able else {}
    cells = []
    for metric in protocol.metrics:
        card = registry.load("metrics", metric)
        record: dict[str, Any] = records.get(metric, {"unit": card.unit, "reason": reasons[metric]})
        facts: dict[str, Any] = {
            key: record[key]
            for key in ("value", "low", "high", "corrected", "unit", "n_used", "n_asked")
            if key in record
        }
        words = str(quantity.get(metric) or card.title)
        cells.append(ProtocolCell(quantity=words, protocol=name, metric=metric, reason=record["reason"] or "", **facts))
    return cells


def as_csv(cells: Sequence[ProtocolCell]) -> str:
    """Return the cells as CSV, one line each, sorted by quantity and protocol."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for cell in sorted(cells, key=lambda cell: (cell.quantity, cell.protocol)):
        values = [getattr(cell, column) for column in _COLUMNS]
        writer.writerow(["" if value is None else value for value in values])
    return buffer.getvalue()


def as_markdown(cells: Sequence[ProtocolCell]) -> str:
    """Return a table: a line a quantity, a column a protocol, and the spread of the values in a line.

    The spread is the largest value over the smallest, where both are above zero.
    """
    protocols = sorted({cell.protocol for cell in cells if cell.value is not None})
    lines = [f"| quantity | {' | '.join(protocols)} | largest / smallest |", "|---" * (len(protocols) + 2) + "|"]
    for quantity in sorted({cell.quantity for cell in cells if cell.value is not None}):
        found = {cell.protocol: cell for cell in cells if cell.quantity == quantity and cell.value is not None}
        values = [cell.value for cell in found.values() if cell.value is not None]
        spread = f"{max(values) / min(values):.3g}" if len(values) > 1 and min(values) > 0 else ""
        row = [_words(found[name]) if name in found else "" for name in protocols]
        lines.append(f"| {quantity} | {' | '.join(row)} | {spread} |")
    return "\n".join(lines) + "\n"


def why_not(cells: Sequence[ProtocolCell]) -> list[str]:
    """Return a line for each reason for missing values, with its metrics."""
    reasons: dict[str, list[str]] = {}
    for cell in cells:
        if cell.value is None:
            reasons.setdefault(cell.reason, []).append(f"{cell.protocol}/{cell.metric}")
    return [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]


def _words(cell: ProtocolCell) -> str:
    interval = f" [{cell.low:.4g}, {cell.high:.4g}]" if cell.low is not None and cell.high is not None else ""
    return f"{cell.value:.4g}{interval}"
