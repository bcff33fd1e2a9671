"""Read captions from a table, for metrics that use captions."""

from __future__ import annotations

import csv
from pathlib import Path

from foleybench.artefacts.match import ClipNames
from foleybench.errors import FoleyError
from foleybench.shards.dataset import ShardDataset

_KEYS = ("clip_id", "path", "name", "id")
_WANTED = "it wants a CSV with the columns clip_id (or path) and caption"


def read_captions(table: Path, data: ShardDataset) -> dict[str, str]:
    """Return clip id -> caption, for the clips of a data set that a table covers.

    Args:
        table: CSV with the columns ``caption`` and ``clip_id`` or ``path``: an id, or the name of a clip's own file.
        data: The data set.

    Raises:
        FoleyError: The table cannot be read, lacks a column, has two captions for one clip, or none for any clip.
    """
    names = ClipNames({entry.clip_id: entry.source for entry in data.entries()})
    found: dict[str, str] = {}
    try:
        with table.open(newline="", encoding="utf-8-sig") as handle:
            rows = csv.DictReader(handle)
            key = next((key for key in _KEYS if key in (rows.fieldnames or ())), None)
            if key is None or "caption" not in (rows.fieldnames or ()):
                raise FoleyError(f"{table} has the columns {', '.join(rows.fieldnames or ())}; {_WANTED}.")
            for row in rows:
                clip_id, caption = names.of(row[key] or ""), (row["caption"] or "").strip()
                if clip_id is not None and caption and found.setdefault(clip_id, caption) != caption:
                    raise FoleyError(f"{table}, line {rows.line_num}: a second caption for clip {clip_id!r}. Keep one.")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FoleyError(f"captions {table}: {error}; {_WANTED}.") from error
    if not found:
        raise FoleyError(f"{table} has a caption for none of the {len(data)} clips of {data.name}. Check its names.")
    return found
