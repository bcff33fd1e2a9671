"""Write cells of pages: values with intervals, headings, tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from foleybench import registry
from foleybench.api.metric import Metric
from foleybench.artefacts.entries import ResultEntry
from foleybench.pages import number_text
from foleybench.reproduce.measure import Difference, Measured, SeedsCell


def direction_of(name: str) -> Literal["higher", "lower"]:
    """Return which way a metric is better."""
    metric: Metric = registry.load("metrics", name)
    return metric.better


def metric_heading(name: str) -> str:
    """Return a column's heading: the metric's title, its unit, an arrow to where it is better."""
    metric: Metric = registry.load("metrics", name)
    unit = "" if metric.unit == "1" else f" ({metric.unit})"
    return f"{metric.title}{unit} {number_text.ARROWS[metric.better]}"


def column_decimals(cells: Sequence[SeedsCell]) -> int:
    """Return the decimals of a column: two digits of its median interval's half."""
    halves = sorted((c.high - c.low) / 2 for c in cells if c.low is not None and c.high is not None and c.high > c.low)
    size = halves[len(halves) // 2] if halves else 0.01
    return min(5, max(0, 1 - math.floor(math.log10(size))))


def evaluations_made(result: Mapping[str, Any]) -> int | None:
    """Return how often networks were evaluated for a clip of a result; 0 or None where no network is sampled."""
    found: int | None = (result["run"].get("generation") or {}).get("nfe")
    return found


def evaluator_versions(entry: ResultEntry) -> dict[str, int]:
    """Return the version of each of the `mini` evaluators that scored a result, by name."""
    encoders = entry.result["run"]["encoders"]
    return {name: facts["version"] for name, facts in encoders.items() if name.startswith("mini_")}


def evaluators_text(entries: Iterable[ResultEntry]) -> str:
    """Return which versions of our evaluators scored some results, and where this package has others."""
    used: dict[str, set[int]] = {}
    for entry in entries:
        for name, version in evaluator_versions(entry).items():
            used.setdefault(name, set()).add(version)
    texts = []
    for name, versions in used.items():
        now = registry.load("encoders", name).version
        other = f" (this package has {now}; what changed: `foleybench/encoders/{name}.py`)" if versions != {now} else ""
        texts.append(f"{name} {' and '.join(map(str, sorted(versions)))}{other}")
    return f"Evaluators: {', '.join(texts)}." if texts else ""


def value_text(value: SeedsCell, decimals: int, *, bold: bool = False) -> str:
    """Return a value with its interval, where it has one."""
    if not math.isfinite(value.value):
        return "*undefined*"
    text = number_text.fixed_decimals(value.value, decimals)
    text = f"**{text}**" if bold else text
    if value.low is None or value.high is None:
        return text
    low, high = (number_text.fixed_decimals(end, decimals) for end in (value.low, value.high))
    return f"{text} [{low}, {high}]"


def gap_text(gap: Difference, decimals: int) -> str:
    """Return a difference with its p-value, bold where it is below 5 %."""
    if gap.p_value is None:
        return f"{gap.difference:+.{decimals}f}"
    text = f"{gap.difference:+.{decimals}f} (p {gap.p_value:.2g})"
    return f"**{text}**" if gap.p_value < 0.05 else text


def clips_text(row: Measured) -> str:
    """Return the number of clips that a row's results score, or their numbers where seeds differ."""
    return "/".join(str(n) for n in sorted({int(entry.result["dataset"]["n_scored"]) for entry in row.entries}))


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown; the first row is the heading, the first column stands left."""
    lines = [rows[0], ["---", *("---:" for _ in rows[0][1:])], *rows[1:]]
    return "\n".join("| " + " | ".join(text.replace("|", "\\|") for text in row) + " |" for row in lines)
