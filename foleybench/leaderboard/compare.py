"""Compare two results on their common clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foleybench import registry
from foleybench.api.metric import Metric
from foleybench.artefacts import draft
from foleybench.artefacts.entries import ResultEntry, read_entry
from foleybench.errors import ResultError
from foleybench.leaderboard.recompute import require_recomputed
from foleybench.leaderboard.same_captions import captions_of, reads_captions
from foleybench.leaderboard.significance import SEED
from foleybench.pages import number_text
from foleybench.pages.number_text import p_text
from foleybench.stats import estimate, ranking
from foleybench.stats.intervals import Paired

RESAMPLES = 2000


def compare_entries(first: ResultEntry, second: ResultEntry) -> dict[str, Paired]:
    """Return metric -> comparison on the common clips, for the metrics that both results have.

    Metrics whose large statistics are absent, or that read other captions, are left out; ``table`` names them.

    Raises:
        ResultError: Another data set, split, protocol or manifest, a draft, or no metric of the same version in common.
    """
    _refuse_unlike(first, second)
    found = {}
    for name, record in first.result["metrics"].items():
        other = second.result["metrics"].get(name)
        comparable = other and other["version"] == record["version"] and name in registry.names("metrics")
        comparable = comparable and name not in _unlike_captions(first, second)
        if comparable and not (first.lacks(name) or second.lacks(name)):
            found[name] = _paired(registry.load("metrics", name), first, second, name)
    if not found:
        raise ResultError(f"{first.path} and {second.path} have no metric of the same version in common.")
    return found


def _unlike_captions(first: ResultEntry, second: ResultEntry) -> list[str]:
    """Return the metrics of both that read captions, where the two results read different ones."""
    if captions_of(first.result) == captions_of(second.result):
        return []
    both = [name for name in first.result["metrics"] if name in second.result["metrics"]]
    known = [name for name in both if name in registry.names("metrics")]
    return [name for name in known if reads_captions(registry.load("metrics", name))]


def _refuse_unlike(first: ResultEntry, second: ResultEntry) -> None:
    drafts = [entry for entry in (first, second) if draft.is_draft(entry.result)]
    if drafts:
        raise ResultError(f"{drafts[0].path} is not compared ({draft.WHY}).")
    names = ("data set", "split", "protocol", "manifest")
    # Subsets of one manifest can be compared: only on clips that both cover, and table() says so.
    for what, one, other in zip(names, first.board_key[:4], second.board_key[:4], strict=True):
        if one != other:
            raise ResultError(f"{first.path} and {second.path} differ in their {what}: {one} and {other}.")
    versions = [entry.result["protocol"]["version"] for entry in (first, second)]
    if versions[0] != versions[1]:
        raise ResultError(f"{first.path} and {second.path} differ in the protocol's version: {versions}.")


def _paired(metric: Metric, first: ResultEntry, second: ResultEntry, name: str) -> Paired:
    sources = {**first.sources, **second.sources}
    rng = np.random.default_rng(SEED)
    one, other = first.stats(name), second.stats(name)
    paired = estimate.paired(metric, one, other, sources, rng=rng, resamples=RESAMPLES)
    common = [stats[clip_id] for stats in (one, other) for clip_id in one.keys() & other.keys()]
    # As for a value alone: equal values show no spread, so nothing is known of a difference.
    return paired._replace(low=None, high=None) if estimate.note_on_equal_values(metric, common) else paired


def table(first_path: Path, second_path: Path) -> str:
    """Return the comparison as a Markdown table."""
    first, second = read_entry(first_path), read_entry(second_path)
    require_recomputed([first, second])
    found = compare_entries(first, second)
    names = sorted(found)
    corrected = _holm(names, found)
    titles = [str(entry.result["model"].get("title") or entry.row_name) for entry in (first, second)]
    heads = ["Metric", "Clips in both", titles[0], titles[1], "Difference", "95 % interval", "p (Holm)"]
    rows = [heads, ["---", *("---:" for _ in heads[1:])]]
    rows += [_line(name, first.result["metrics"][name], found[name], corrected.get(name)) for name in names]
    covered = [len({row["clip_id"] for row in entry.rows if row["stats"]}) for entry in (first, second)]
    both = len({r["clip_id"] for r in first.rows if r["stats"]} & {r["clip_id"] for r in second.rows if r["stats"]})
    lines = [f"{titles[0]} covers {covered[0]} clips, {titles[1]} {covered[1]}, both {both}.", ""]
    if first.board_key != second.board_key:
        subsets = f"{_subset(first)} and {_subset(second)}"
        lines.insert(1, f"The results are about different subsets ({subsets}): only the clips in both are compared.")
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    lines += ["", _family(len(corrected))] if corrected else []
    lines += _unranked(names)
    absent = [name for name in first.result["metrics"] if first.lacks(name) or second.lacks(name)]
    lines += ["", f"Not compared, since their large statistics are not here: {', '.join(absent)}."] if absent else []
    unlike = _unlike_captions(first, second)
    lines += ["", f"Not compared, since the two read different captions: {', '.join(unlike)}."] if unlike else []
    return "\n".join(lines) + "\n"


def _family(n: int) -> str:
    """Say what p-values are corrected for: a board, which corrects otherwise, may say something else of a pair."""
    metrics = f"the {n} tested metrics" if n > 1 else "the one tested metric"
    return (
        f"p (Holm): corrected over {metrics} of this pair. Ranks of a leaderboard are corrected over all pairs of its "
        "systems, each metric by itself."
    )


def _unranked(names: Sequence[str]) -> list[str]:
    """Name the metrics of the table by which no leaderboard ranks systems."""
    metrics: dict[str, Metric] = {name: registry.load("metrics", name) for name in names}
    told = [f"{name} ({metric.unranked})" for name, metric in metrics.items() if metric.unranked]
    return ["", f"Without a test, since no leaderboard ranks by it: {'; '.join(told)}."] if told else []


def _subset(entry: ResultEntry) -> str:
    subset = entry.result["dataset"].get("subset")
    return f"`{subset['name']}`" if subset else "all clips"


def _holm(names: Sequence[str], found: Mapping[str, Paired]) -> dict[str, float]:
    """Return the corrected p-values of what leaderboards rank by: else a p-value would move with a machine's times."""
    tested = [name for name in names if not registry.load("metrics", name).unranked]
    known = [name for name in tested if found[name].p_value is not None]
    return dict(zip(known, ranking.holm([found[name].p_value or 0.0 for name in known]), strict=True))


def _line(name: str, record: Mapping[str, Any], paired: Paired, p_holm: float | None) -> list[str]:
    title = f"{name} {number_text.ARROWS[record['better']]}"
    if not np.isfinite(paired.difference):
        return [title, str(paired.n), "undefined", "undefined", "", "", ""]
    digits = _decimals(paired)
    interval = "none: all values are equal" if paired.p_value is not None else ""
    if paired.low is not None and paired.high is not None:
        interval = (
            f"[{number_text.fixed_decimals(paired.low, digits)}, {number_text.fixed_decimals(paired.high, digits)}]"
        )
    values = [number_text.fixed_decimals(value, digits) for value in (paired.first, paired.second, paired.difference)]
    return [title, str(paired.n), *values, interval, "" if p_holm is None else p_text(p_holm)]


def _decimals(paired: Paired) -> int:
    width = (paired.high or 0.0) - (paired.low or 0.0)
    size = width / 2 if width > 0 else max(abs(paired.first), abs(paired.second))
    return min(5, max(0, 1 - int(np.floor(np.log10(size))))) if size > 0 else 3
