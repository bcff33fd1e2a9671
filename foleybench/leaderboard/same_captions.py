"""Results of a table that read other captions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from foleybench.api.metric import Metric


def reads_captions(metric: Metric | None) -> bool:
    """Return whether a metric is given captions."""
    return metric is not None and any(need.of == "text" for need in metric.needs.values())


def other_captions(results: Sequence[Mapping[str, Any]], metric: Metric | None) -> list[str]:
    """Return for each result why a metric's number does not compare with the others, or "".

    The captions that most results read count; of equally many, those of the manifest, then those of the smaller hash.

    Args:
        results: Results of one table.
        metric: The metric, or None when it is not installed.
    """
    if not reads_captions(metric):
        return ["" for _ in results]
    sources = [captions_of(result) for result in results]
    counted = Counter(sources)
    counts = min(counted, key=lambda source: (-counted[source], source), default="")
    return [
        f"read {_words(source)}, most rows {_words(counts)}; run eval again with those" if source != counts else ""
        for source in sources
    ]


def captions_of(result: Mapping[str, Any]) -> str:
    """Return the hash of the table of captions that a result read, "" for those of the manifest."""
    return str(((result.get("run") or {}).get("captions") or {}).get("sha256") or "")


def _words(source: str) -> str:
    return f"captions {source[:8]}" if source else "the manifest's captions"
