"""Make one table of systems scored alike, cell by cell."""

from __future__ import annotations

import collections
import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from foleybench.api.metric import Metric
from foleybench.api.protocol import Protocol
from foleybench.artefacts.coverage import coverage
from foleybench.artefacts.entries import ResultEntry
from foleybench.artefacts.fewer_clips import why_fewer, why_not_scored
from foleybench.artefacts.unranked import why_unranked
from foleybench.leaderboard.columns import Column, columns_of, installed
from foleybench.leaderboard.same_captions import other_captions
from foleybench.leaderboard.same_weights import other_weights
from foleybench.leaderboard.significance import SEED, Comparison, Standing, compare_all, standings
from foleybench.stats import estimate
from foleybench.stats.intervals import FEW_VIDEOS

State = Literal["ok", "undefined", "not_run", "failed", "stale"]
SECONDS = "seconds_per_clip"


@dataclasses.dataclass(frozen=True, kw_only=True)
class BoardCell:
    """One number, or the reason for its absence.

    Attributes:
        state: ``ok``, or why the number is missing or does not count.
        value: The number; kept but not ranked when the state is ``stale``.
        low: Lower end of its interval.
        high: Upper end.
        corrected: Sample-size-corrected value.
        n_used: Clips that the number was computed from.
        n_asked: Clips asked for.
        not_applicable: Clips that the metric does not apply to.
        fewer: Why fewer clips count than were asked for, in words; "" when all count.
        reason: Why the state is not ``ok``, in words.
        notes: What a reader of the value and its interval must know.
        matched: Value against real sound limited to the system's band (``eval --match-bandwidth``), or None.
        matched_hz: Where that band ends; None where the value is not matched or the band has no end.
        approximate: Whether the interval is from so few videos that its coverage depends on the values.
        standing: Rank, or None when the cell is not ranked.
    """

    state: State
    value: float | None = None
    low: float | None = None
    high: float | None = None
    corrected: float | None = None
    n_used: int = 0
    n_asked: int = 0
    not_applicable: int = 0
    fewer: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()
    approximate: bool = False
    standing: Standing | None = None
    matched: float | None = None
    matched_hz: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class BoardRow:
    """One system.

    Attributes:
        entry: The system's result.
        cells: Metric name -> cell.
        why_unranked: "" for a row that takes part in the ranking, else why it does not.
        namesake: Whether another row of the board has the same title, so that the row's name is shown beside it.
    """

    entry: ResultEntry
    cells: Mapping[str, BoardCell]
    why_unranked: str
    namesake: bool = False

    @property
    def model(self) -> Mapping[str, Any]:
        """The result's ``model`` section."""
        section: Mapping[str, Any] = self.entry.result["model"]
        return section

    @property
    def title(self) -> str:
        """The title, with the row's own name where the title alone would mislead."""
        title = str(self.model.get("title") or self.model["name"])
        return f"{title} ({self.entry.row_name})" if self.namesake or self._named_by_hand else title

    @property
    def _named_by_hand(self) -> bool:
        """Whether ``--name`` gave a model's row a name that does not begin with the model's."""
        return not self.entry.row_name.startswith(str(self.model.get("registry_name") or self.entry.row_name))

    @property
    def not_scored(self) -> str:
        """Why clips have no value at all, in words; "" when all are scored."""
        return why_not_scored(self.entry.result)

    @property
    def seconds_per_clip(self) -> float | None:
        """Seconds per clip, one at a time: mean over the timed clips, else over those timed apart; None without."""
        cell = self.cells.get(SECONDS)
        if cell is not None and cell.state == "ok":
            return cell.value
        generation = self.entry.result["run"].get("generation") or {}
        value = generation.get("speed", {}).get("batch_1", {}).get("seconds_per_clip")
        return None if value is None else float(value)

    @property
    def device(self) -> str:
        """The device that generated the audio, or "" when not reported."""
        generation = self.entry.result["run"].get("generation") or {}
        return str(generation.get("device") or "")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Board:
    """One table.

    Attributes:
        dataset: Name of the data set.
        split: Name of the split.
        protocol: Registry name of the protocol.
        protocol_title: Its name for people.
        manifest_sha256: Hash that names the test set.
        subset: Name of the subset of the test set that was scored, "" for all of it.
        subset_sha256: Hash of the subset's ids, or "".
        n_clips: Number of clips that were asked for.
        coverage: How many of the data set's list, or of the subset, these are (``artefacts.coverage``); "" for all.
        columns: The metrics, in the protocol's order.
        rows: The systems: ranked rows first, best on the first headline metric on top.
        comparisons: Metric -> pairs of systems, as names.
    """

    dataset: str
    split: str
    protocol: str
    protocol_title: str
    manifest_sha256: str
    subset: str
    subset_sha256: str
    n_clips: int
    coverage: str
    columns: tuple[Column, ...]
    rows: tuple[BoardRow, ...]
    comparisons: Mapping[str, tuple[tuple[str, str, Comparison], ...]]

    @property
    def key(self) -> str:
        """A name for anchors and files: letters, digits and dashes."""
        text = f"{self.dataset}-{self.split}-{self.protocol}-{self.manifest_sha256[:8]}"
        text += f"-{self.subset_sha256[:8]}" if self.subset_sha256 else ""
        return "".join(c if c.isalnum() and c.isascii() else "-" for c in text)

    @property
    def speed_column(self) -> bool:
        """Whether a table needs a column of seconds per clip of its own: no metric is that column."""
        return all(column.name != SECONDS for column in self.columns)

    @property
    def headlines(self) -> tuple[Column, ...]:
        """The columns that stand for an axis of quality; all of them when the protocol names none."""
        return tuple(column for column in self.columns if column.axis) or self.columns


def make_boards(entries: Sequence[ResultEntry]) -> list[Board]:
    """Return one board per data set, split, protocol, manifest and subset, sorted."""
    ordered = sorted(entries, key=lambda entry: (*entry.board_key, entry.row_name))
    return [_board(list(group)) for _, group in itertools.groupby(ordered, key=lambda entry: entry.board_key)]


def _board(entries: Sequence[ResultEntry]) -> Board:
    dataset, split, protocol_name, manifest, subset_sha256 = entries[0].board_key
    protocol: Protocol | None = installed("protocols", protocol_name)
    columns = columns_of(entries, protocol)
    current = protocol.version if protocol else max(entry.result["protocol"]["version"] for entry in entries)
    results = [entry.result for entry in entries]
    foreign = {column.name: _foreign(results, column.metric) for column in columns}
    rows = [
        _row(entry, columns, current, {name: reasons[index] for name, reasons in foreign.items()})
        for index, entry in enumerate(entries)
    ]
    titles = collections.Counter(row.title for row in rows)
    rows = [dataclasses.replace(row, namesake=titles[row.title] > 1) for row in rows]
    comparisons = {}
    for column in columns:
        rows, comparisons[column.name] = _rank(rows, column)
    return Board(
        dataset=dataset,
        split=split,
        protocol=protocol_name,
        protocol_title=protocol.title if protocol else protocol_name,
        manifest_sha256=manifest,
        subset=str((entries[0].result["dataset"].get("subset") or {}).get("name", "")),
        subset_sha256=subset_sha256,
        n_clips=int(entries[0].result["dataset"]["n_clips"]),
        # Results of one manifest agree; earlier ones did not record it.
        coverage=next(filter(None, (coverage(result["dataset"]) for result in results)), ""),
        columns=columns,
        rows=tuple(sorted(rows, key=lambda row: _order(row, columns))),
        comparisons=comparisons,
    )


def _foreign(results: Sequence[Mapping[str, Any]], metric: Metric | None) -> list[str]:
    """Return for each result why its number does not compare with the others: other weights, other captions."""
    both = zip(other_weights(results, metric), other_captions(results, metric), strict=True)
    return [weights or captions for weights, captions in both]


def _row(entry: ResultEntry, columns: Sequence[Column], protocol_version: int, foreign: Mapping[str, str]) -> BoardRow:
    result = entry.result
    cells = {column.name: _cell(entry, column, protocol_version, foreign[column.name]) for column in columns}
    return BoardRow(entry=entry, cells=cells, why_unranked=why_unranked(result))


def _cell(entry: ResultEntry, column: Column, protocol_version: int, foreign: str) -> BoardCell:
    result = entry.result
    record = result["metrics"].get(column.name)
    if record is None:
        return BoardCell(state="not_run", reason=f"this result was made without {column.name}")
    state, reason = _state(result, record, column, protocol_version)
    if state == "ok" and foreign:
        state, reason = "stale", foreign
    known = _known(entry, column, record) if state == "ok" else _Known(record["low"], record["high"], (), False)
    return BoardCell(
        state=state,
        value=record["value"],
        low=known.low,
        high=known.high,
        notes=known.notes,
        approximate=known.approximate,
        corrected=record["corrected"],
        n_used=int(record["n_used"]),
        n_asked=int(record["n_asked"]),
        not_applicable=int(record["not_applicable"]),
        fewer=why_fewer(result, column.name),
        reason=reason,
        matched=record.get("matched", {}).get("value"),
        matched_hz=result["run"].get("matched_band", {}).get("hz"),
    )


class _Known(NamedTuple):
    """An interval with its caveats."""

    low: float | None
    high: float | None
    notes: tuple[str, ...]
    approximate: bool


def _known(entry: ResultEntry, column: Column, record: Mapping[str, Any]) -> _Known:
    """Return the interval of a value.

    Intervals made by another method are computed again from the clip table, so that a table has intervals of one kind;
    without the statistics the recorded interval stays.
    """
    made_today = record.get("method", 1) == estimate.METHOD
    if column.metric is None or entry.lacks(column.name):
        unlike = () if made_today else ("interval of an older method",)
        return _Known(record["low"], record["high"], (*record.get("notes", ()), *unlike), False)
    stats, sources = entry.stats(column.name), entry.sources
    few = len({sources[clip_id] for clip_id in stats}) < FEW_VIDEOS
    if made_today:
        return _Known(record["low"], record["high"], tuple(record.get("notes", ())), few)
    interval = estimate.interval_of(column.name, column.metric, stats, sources, seed=SEED)
    low, high = interval or (None, None)
    return _Known(low, high, estimate.notes_of(column.metric, stats, sources), few)


def _state(
    result: Mapping[str, Any], record: Mapping[str, Any], column: Column, protocol_version: int
) -> tuple[State, str]:
    version = result["protocol"]["version"]
    if version != protocol_version:
        return "stale", f"made with version {version} of the protocol, {protocol_version} counts; run eval again"
    if record["version"] != column.version:
        return "stale", f"made with version {record['version']} of the metric, {column.version} counts; run eval again"
    if record["value"] is not None:
        return "ok", ""
    prefix = f"{column.name}:"
    broken = [p for p in result["problems"] if p["kind"] == "bad_features" and p["detail"].startswith(prefix)]
    if broken:
        return "failed", f"{broken[0]['clip_id']}, {broken[0]['detail']}"
    return ("failed" if result["status"] == "failed" else "undefined"), str(record["reason"])


def _rank(rows: list[BoardRow], column: Column) -> tuple[list[BoardRow], tuple[tuple[str, str, Comparison], ...]]:
    """Give the cells of a column their ranks."""
    places = [i for i, row in enumerate(rows) if not row.why_unranked and row.cells[column.name].state == "ok"]
    if not places or column.metric is None:
        return rows, ()
    chosen = [rows[i] for i in places]
    names = [row.entry.row_name for row in chosen]
    if column.unranked:
        reason = f"no ranks: {column.unranked}"
        return [dataclasses.replace(r, cells=_with_reason(r.cells, column.name, reason)) for r in rows], ()
    lacking = [row.entry.row_name for row in chosen if row.entry.lacks(column.name)]
    if lacking:
        reason = f"no paired test: the large statistics of {', '.join(lacking)} are not here"
        told = [dataclasses.replace(r, cells=_with_reason(r.cells, column.name, reason)) for r in rows]
        return told, ()
    sources = {clip_id: source for row in chosen for clip_id, source in row.entry.sources.items()}
    systems = [row.entry.stats(column.name) for row in chosen]
    comparisons = compare_all(column.metric.pool, systems, sources, span=estimate.span_of(column.metric))
    ranked = list(rows)
    for i, standing in zip(places, standings(len(chosen), column.better, comparisons), strict=True):
        cell = dataclasses.replace(rows[i].cells[column.name], standing=standing)
        ranked[i] = dataclasses.replace(rows[i], cells={**rows[i].cells, column.name: cell})
    return ranked, tuple((names[c.first], names[c.second], c) for c in comparisons)


def _with_reason(cells: Mapping[str, BoardCell], name: str, reason: str) -> Mapping[str, BoardCell]:
    return {**cells, name: dataclasses.replace(cells[name], reason=cells[name].reason or reason)}


def _order(row: BoardRow, columns: Sequence[Column]) -> tuple[Any, ...]:
    """Sort ranked rows by the first headline metric, then unranked systems, oracles and controls by name."""
    lead = next((column for column in columns if column.axis), columns[0])
    cell = row.cells[lead.name]
    sign = -1.0 if lead.better == "higher" else 1.0
    group = 0 if not row.why_unranked else {"oracle": 2, "control": 3}.get(str(row.model["kind"]), 1)
    missing = cell.value is None or cell.state != "ok"
    by_value = 0.0 if missing or cell.value is None or group else sign * cell.value
    return group, missing and not group, by_value, row.entry.row_name
