"""Read and write results: checked JSON and its clip table.

``leaderboards/results/<dataset>/<model>.<id8>.json`` beside ``<model>.<id8>.clips.jsonl.gz`` (one line per clip with
the statistics of every metric, from which any interval or paired test can be made again). ``id8`` is the start of the
hash of the result's content, so a result that is edited by hand no longer carries its own name. Statistics too large
for a line of text lie beside it (``clip_table``).
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foleybench.api.metric import Stat
from foleybench.artefacts.clip_table import COMMITTED_BYTES, ClipRow, ClipTable, LargeStats, paths_of
from foleybench.artefacts.layouts import RESULT, ROW, safe_name
from foleybench.artefacts.layouts import SCHEMA as SCHEMA
from foleybench.errors import ResultError
from foleybench.fields import Place, gunzip, mapping, parse_json, read_bytes, read_json, shown
from foleybench.files import canonical_json, file_sha256, temporary_beside, write_atomically

_ADVICE = "Run `foleybench eval` again."


def check(result: Mapping[str, Any], where: str = "result", advice: str = "") -> None:
    """Check a result against the schema.

    Raises:
        ResultError: Names the place that is wrong.
    """
    place = Place(where, ResultError, advice)
    place.require(result, RESULT)
    for name, record in result["metrics"].items():
        _check_numbers(dataclasses.replace(place, where=f"{where}: metrics.{name}"), record)


def _check_numbers(place: Place, record: Mapping[str, Any]) -> None:
    """Refuse numbers that contradict each other."""
    value, low, high = record["value"], record["low"], record["high"]
    if value is None and not record["reason"]:
        place.fail(" has no value and no reason; an undefined value must say why")
    if (low is None) != (high is None) or (value is None and low is not None):
        place.fail(f" has the interval [{low}, {high}] of the value {value}; both ends or neither are wanted")
    if low is not None and low > high:
        place.fail(f" has the interval [{low}, {high}], whose low end is above its high end")
    if record["n_used"] + record["not_applicable"] > record["n_asked"]:
        counts = f"{record['n_used']} used and {record['not_applicable']} not applicable"
        place.fail(f" counts {counts} clips of {record['n_asked']} asked for")


def require_safe_name(name: object, what: str) -> None:
    """Check that a name can be part of a path.

    Raises:
        ResultError: The name cannot be part of a path.
    """
    Place(what, ResultError).require(name, safe_name)


def content_id(result: Mapping[str, Any]) -> str:
    """Return the eight hex digits that name a result: the hash of everything in it."""
    return hashlib.sha256(canonical_json(result).encode()).hexdigest()[:8]


def write_result(folder: Path, result: dict[str, Any], rows: Sequence[ClipRow]) -> Path:
    """Write a result and its clip table; return the path of the JSON file.

    The result replaces an earlier one of the same system on the same clips and protocol: a table has one row for each,
    and nothing would tell which of two counts. Git keeps the earlier one.

    Args:
        folder: ``leaderboards/results``; the data set's folder is made below it.
        result: The result without ``clips``.
        rows: One a clip, JSON values only.
    """
    table = clips_bytes(rows)
    home = folder / result["dataset"]["name"]
    clips: dict[str, Any] = {"sha256": hashlib.sha256(table).hexdigest(), "n": len(rows)}
    home.mkdir(parents=True, exist_ok=True)
    waiting = temporary_beside(home / "large.npz")
    try:
        if isinstance(rows, ClipTable) and len(rows.large):
            rows.large.write(waiting)
            clips["large"] = {"sha256": file_sha256(waiting), "bytes": waiting.stat().st_size}
        path = _write_files(home, {**result, "clips": clips}, table, waiting)
    finally:
        waiting.unlink(missing_ok=True)
    for older in _same_thing(home, result):
        if older != path:
            older.unlink()
            for beside in (table_path(older), *paths_of(older)):
                beside.unlink(missing_ok=True)
    return path


def _write_files(home: Path, result: dict[str, Any], table: bytes, large: Path) -> Path:
    check(result)
    stem = f"{result['model']['name']}.{content_id(result)}"
    write_atomically(home / f"{stem}.clips.jsonl.gz", table)
    path = home / f"{stem}.json"
    if "large" in result["clips"]:
        large.replace(paths_of(path)[result["clips"]["large"]["bytes"] > COMMITTED_BYTES])
    text = json.dumps(result, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
    write_atomically(path, (text + "\n").encode())
    return path


def _same_thing(home: Path, result: Mapping[str, Any]) -> list[Path]:
    """Return the files in a folder that are about the same system, clips and protocol."""
    found = []
    for path in sorted(home.glob("*.json")):
        try:
            other = read_json(path, RESULT, Place(str(path), ResultError))
            if _identity(other) == _identity(result):
                found.append(path)
        except ResultError:
            continue  # not one of our results; reading the folder will name the file
    return found


def _identity(result: Mapping[str, Any]) -> tuple[str, ...]:
    dataset = result["dataset"]
    names = (result["model"]["name"], result["protocol"]["name"])
    return (*names, dataset["name"], dataset["split"], dataset["manifest_sha256"], subset_sha256(result))


def subset_sha256(result: Mapping[str, Any]) -> str:
    """Return the hash of the clip ids of the subset that a result is about, "" for all clips of its manifest."""
    return str((result["dataset"].get("subset") or {}).get("sha256", ""))


def table_path(path: Path) -> Path:
    """Return the path of a result file's clip table."""
    return path.with_name(path.name.removesuffix(".json") + ".clips.jsonl.gz")


def clips_bytes(rows: Sequence[ClipRow]) -> bytes:
    """Return the clip table as gzip without a time, so the same rows give the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, filename="") as handle:
        for row in rows:
            handle.write((canonical_json(row) + "\n").encode())
    return buffer.getvalue()


def read_result(path: Path) -> dict[str, Any]:
    """Read and check a result.

    Raises:
        ResultError: Not JSON, not the schema, or edited since it was written (its name no longer fits its content).
    """
    result: dict[str, Any] = read_json(path, mapping, Place(str(path), ResultError, _ADVICE))
    check(result, str(path), _ADVICE)
    if not path.name.endswith(f".{content_id(result)}.json"):
        raise ResultError(f"{path} was edited after it was written: its content hashes to {content_id(result)}.")
    return result


def read_clips(path: Path) -> ClipTable:
    """Read the clip table beside a result file, checked against the hash in the result, and its large statistics."""
    result = read_result(path)
    table = table_path(path)
    place = Place(str(table), ResultError, _ADVICE)
    data = read_bytes(table, place)
    if hashlib.sha256(data).hexdigest() != result["clips"]["sha256"]:
        raise ResultError(f"{table} is not the table that {path.name} was made with.")
    lines = gunzip(data, place).splitlines()
    rows = [parse_json(line, ROW, place.line(number)) for number, line in enumerate(lines, start=1)]
    _refuse_repeated(rows, place)
    recorded = result["clips"].get("large")
    return _with_large(path, rows, recorded) if recorded else ClipTable(rows)


def _refuse_repeated(rows: Sequence[ClipRow], place: Place) -> None:
    ids = Counter(row["clip_id"] for row in rows)
    twice = [clip_id for clip_id, n in ids.items() if n > 1]
    if twice:
        place.fail(f" has clip {shown(twice[0])} {ids[twice[0]]} times; one line a clip is wanted")


def _with_large(path: Path, rows: Sequence[ClipRow], recorded: Mapping[str, Any]) -> ClipTable:
    found = next((candidate for candidate in paths_of(path) if candidate.is_file()), None)
    if found is None:
        wanted = paths_of(path)[recorded["bytes"] > COMMITTED_BYTES].name
        absent = (
            f"{path.name}: its large statistics ({wanted}, {recorded['bytes']} bytes) are not here; run eval again."
        )
        return ClipTable(rows, absent=absent)
    if file_sha256(found) != recorded["sha256"]:
        raise ResultError(f"{found} is not the file that {path.name} was made with. Run `foleybench eval` again.")
    return ClipTable(rows, LargeStats.read(found))


def stats_of(rows: Sequence[ClipRow], metric: str, part: str = "stats") -> dict[str, Stat]:
    """Return clip id -> statistics of a metric, for the clips that have them; ``part`` is one of ``PARTS``.

    Raises:
        ResultError: The statistics are large ones, and their file is absent.
    """
    table = rows if isinstance(rows, ClipTable) else ClipTable(rows)
    return {
        row["clip_id"]: {key: table.array(value) for key, value in row[part][metric].items()}
        for row in table
        if row.get(part, {}).get(metric) is not None
    }
