"""Read captions from a table, for metrics that use captions."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from foleybench.api.metric import Metric
from foleybench.artefacts.match import ClipNames, nearest
from foleybench.errors import FoleyError
from foleybench.features.featurise import CAPTION
from foleybench.shards.dataset import ShardDataset

_KEYS = ("clip_id", "path", "name", "id")
_MOST_NAMED = 10
_WANTED = "it wants a CSV with the columns clip_id (or path) and caption"


def read_captions(table: Path, data: ShardDataset) -> dict[str, str]:
    """Return clip id -> caption, for the clips of a data set that a table covers.

    Args:
        table: CSV with the columns ``caption`` and ``clip_id`` or ``path``: an id, or the name of a clip's own file.
        data: The data set.

    Raises:
        FoleyError: The table cannot be read, lacks a column, has two captions for one clip, or none for any clip.
    """
    return _read(table, data)[0]


def captions_told(table: Path, data: ShardDataset, metrics: Iterable[Metric]) -> list[str]:
    """Return sentences on a table of captions: the clips it covers, names without a clip, a table that nothing reads.

    Args:
        table: As in ``read_captions``.
        data: The data set.
        metrics: The metrics that are measured.

    Raises:
        FoleyError: As in ``read_captions``.
    """
    found, strange = _read(table, data)
    sources = {entry.clip_id: Path(entry.source).stem for entry in data.entries()}
    without = [stem for clip_id, stem in sources.items() if clip_id not in found]
    lines = [f"captions of {len(found)} of {len(sources)} clips in {table}"]
    for name in strange[:_MOST_NAMED]:
        near = ", ".join(nearest(Path(name).stem, without))
        lines.append(f"  {name}: no clip of this name{near and f' (near: {near})'}")
    if len(strange) > _MOST_NAMED:
        lines.append(f"  ... and {len(strange) - _MOST_NAMED} more names without a clip")
    if not any(need.of == CAPTION for metric in metrics for need in metric.needs.values()):
        lines.append("  none of these metrics uses captions; clap_score does")
    return lines


def _read(table: Path, data: ShardDataset) -> tuple[dict[str, str], list[str]]:
    """Return clip id -> caption, and the names in a table that no clip has."""
    names = ClipNames({entry.clip_id: entry.source for entry in data.entries()})
    found: dict[str, str] = {}
    strange: list[str] = []
    try:
        with table.open(newline="", encoding="utf-8-sig") as handle:
            rows = csv.DictReader(handle)
            key = next((key for key in _KEYS if key in (rows.fieldnames or ())), None)
            if key is None or "caption" not in (rows.fieldnames or ()):
                raise FoleyError(f"{table} has the columns {', '.join(rows.fieldnames or ())}; {_WANTED}.")
            for row in rows:
                clip_id, caption = names.of(row[key] or ""), (row["caption"] or "").strip()
                if clip_id is None:
                    strange.append(row[key] or f"line {rows.line_num}")
                elif caption and found.setdefault(clip_id, caption) != caption:
                    raise FoleyError(f"{table}, line {rows.line_num}: a second caption for clip {clip_id!r}. Keep one.")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FoleyError(f"captions {table}: {error}; {_WANTED}.") from error
    if not found:
        raise FoleyError(f"{table} has a caption for none of the {len(data)} clips of {data.name}. Check its names.")
    return found, strange
