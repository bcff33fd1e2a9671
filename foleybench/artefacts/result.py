"""The result: one JSON file per model x data set x protocol, schema-checked, no NaN, sorted keys, and its clip table.

``leaderboards/results/<dataset>/<model>.<id8>.json`` beside ``<model>.<id8>.clips.jsonl.gz`` (one line per clip with
the statistics of every metric, from which any interval or paired test can be made again). ``id8`` is the start of the
hash of the result's content, so a result that is edited by hand no longer carries its own name. Statistics too large
for a line of text lie beside it (``clip_table``).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foleybench.api.metric import Stat
from foleybench.artefacts.clip_table import COMMITTED_BYTES, ClipRow, ClipTable, LargeStats, paths_of
from foleybench.errors import ResultError
from foleybench.files import canonical_json, file_sha256, write_atomically

SCHEMA = 1
STATUSES = ("complete", "partial", "failed")
_SECTIONS = ("schema", "status", "model", "dataset", "protocol", "metrics", "problems", "clips", "run")
_METRIC_KEYS = (
    *("version", "source_sha256", "value", "low", "high", "level", "corrected", "n_used", "n_asked"),
    *("not_applicable", "unit", "better", "reason", "per_class"),
)

_SECTION_KEYS = {
    "model": ("name", "kind"),
    "dataset": ("name", "split", "manifest_sha256", "n_clips"),
    "protocol": ("name", "version"),
}
# Names become parts of paths.
_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


def check(result: Mapping[str, Any], where: str = "result") -> None:
    """Check a result against the schema.

    Raises:
        ResultError: Names the place that is wrong.
    """
    missing = [key for key in _SECTIONS if key not in result]
    if missing:
        raise ResultError(f"{where} lacks {', '.join(missing)}; it was not written by this version of foleybench.")
    if result["schema"] != SCHEMA:
        raise ResultError(f"{where} has schema {result['schema']!r}; this version reads {SCHEMA}.")
    if result["status"] not in STATUSES:
        raise ResultError(f"{where} has status {result['status']!r}; one of {', '.join(STATUSES)} is wanted.")
    _check_names(result, where)
    for name, record in result["metrics"].items():
        _check_metric(f"{where}, metric {name}", record)


def _check_names(result: Mapping[str, Any], where: str) -> None:
    for section, wanted in _SECTION_KEYS.items():
        lost = [key for key in wanted if key not in result[section]]
        if lost:
            raise ResultError(f"{where}: section {section} lacks {', '.join(lost)}.")
    for section in ("model", "dataset"):
        require_safe_name(result[section]["name"], f"{where}: {section} name")


def require_safe_name(name: object, what: str) -> None:
    """Check that a name can be part of a path.

    Raises:
        ResultError: It cannot.
    """
    if not isinstance(name, str) or not _SAFE_NAME.fullmatch(name):
        raise ResultError(
            f"{what} {name!r} cannot be part of a file name; use letters, digits and ._+- "
            "(for a system: give another with --name)."
        )


def _check_metric(where: str, record: Mapping[str, Any]) -> None:
    missing = [key for key in _METRIC_KEYS if key not in record]
    if missing:
        raise ResultError(f"{where} lacks {', '.join(missing)}.")
    for key in ("value", "low", "high", "corrected"):
        number = record[key]
        if number is not None and not (isinstance(number, int | float) and np.isfinite(number)):
            raise ResultError(f"{where}: {key} is {number!r}; a finite number or null is wanted.")
    if record["value"] is None and not record["reason"]:
        raise ResultError(f"{where} has no value and no reason; an undefined value must say why.")


def content_id(result: Mapping[str, Any]) -> str:
    """Return the eight hex digits that name a result: the hash of everything in it."""
    return hashlib.sha256(canonical_json(result).encode()).hexdigest()[:8]


def write(folder: Path, result: dict[str, Any], rows: Sequence[ClipRow]) -> Path:
    """Write a result and its clip table; return the path of the JSON file.

    It takes the place of an earlier result of the same system on the same clips and protocol: a table has one row for
    each, and which of two counts would otherwise be anybody's guess. Git keeps the earlier one.

    Args:
        folder: ``leaderboards/results``; the data set's folder is made below it.
        result: The result without ``clips``.
        rows: One a clip, JSON values only.
    """
    table = clips_bytes(rows)
    home = folder / result["dataset"]["name"]
    clips: dict[str, Any] = {"sha256": hashlib.sha256(table).hexdigest(), "n": len(rows)}
    waiting = home / f".{os.getpid()}.npz.tmp"
    if isinstance(rows, ClipTable) and len(rows.large):
        rows.large.write(waiting)
        clips["large"] = {"sha256": file_sha256(waiting), "bytes": waiting.stat().st_size}
    result = {**result, "clips": clips}
    check(result)
    stem = f"{result['model']['name']}.{content_id(result)}"
    write_atomically(home / f"{stem}.clips.jsonl.gz", table)
    path: Path = home / f"{stem}.json"
    if "large" in clips:
        waiting.replace(paths_of(path)[clips["large"]["bytes"] > COMMITTED_BYTES])
    text = json.dumps(result, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
    write_atomically(path, (text + "\n").encode())
    for older in _same_thing(home, result):
        if older != path:
            older.unlink()
            for beside in (table_path(older), *paths_of(older)):
                beside.unlink(missing_ok=True)
    return path


def _same_thing(home: Path, result: Mapping[str, Any]) -> list[Path]:
    """Return the files in a folder that are about the same system, clips and protocol."""
    found = []
    for path in sorted(home.glob("*.json")):
        try:
            other = json.loads(path.read_text(encoding="utf-8"))
            if _identity(other) == _identity(result):
                found.append(path)
        except (ValueError, KeyError, TypeError):
            continue  # not one of ours; reading the folder will name it
    return found


def _identity(result: Mapping[str, Any]) -> tuple[str, ...]:
    dataset = result["dataset"]
    names = (result["model"]["name"], result["protocol"]["name"])
    return (*names, dataset["name"], dataset["split"], dataset["manifest_sha256"], subset_sha256(result))


def subset_sha256(result: Mapping[str, Any]) -> str:
    """Return the hash of the clip ids of the subset that a result is about, "" for all clips of its manifest."""
    return str((result["dataset"].get("subset") or {}).get("sha256", ""))


def table_path(path: Path) -> Path:
    """Return where the clip table of a result file lies."""
    return path.with_name(path.name.removesuffix(".json") + ".clips.jsonl.gz")


def clips_bytes(rows: Sequence[ClipRow]) -> bytes:
    """Return the clip table as gzip with no clock in it, so the same rows give the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, filename="") as handle:
        for row in rows:
            handle.write((canonical_json(row) + "\n").encode())
    return buffer.getvalue()


def read(path: Path) -> dict[str, Any]:
    """Read and check a result.

    Raises:
        ResultError: Not JSON, not the schema, or edited since it was written (its name no longer fits its content).
    """
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(result, dict):
        raise ResultError(f"{path} is not a JSON object.")
    check(result, str(path))
    if not path.name.endswith(f".{content_id(result)}.json"):
        raise ResultError(f"{path} was edited after it was written: its content hashes to {content_id(result)}.")
    return result


def read_clips(path: Path) -> ClipTable:
    """Read the clip table beside a result file, checked against the hash in the result, and its large statistics."""
    result = read(path)
    table = table_path(path)
    if not table.is_file():
        raise ResultError(f"{table} is missing; run `foleybench eval` again.")
    data = table.read_bytes()
    if hashlib.sha256(data).hexdigest() != result["clips"]["sha256"]:
        raise ResultError(f"{table} is not the table that {path.name} was made with.")
    rows = [json.loads(line) for line in gzip.decompress(data).decode().splitlines()]
    recorded = result["clips"].get("large")
    return _with_large(path, rows, recorded) if recorded else ClipTable(rows)


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


def stats_of(rows: Sequence[ClipRow], metric: str) -> dict[str, Stat]:
    """Return clip id -> statistics of a metric, for the clips that have them.

    Raises:
        ResultError: They are large ones, and their file is absent.
    """
    table = rows if isinstance(rows, ClipTable) else ClipTable(rows)
    return {
        row["clip_id"]: {key: table.array(value) for key, value in row["stats"][metric].items()}
        for row in table
        if row["stats"].get(metric) is not None
    }
