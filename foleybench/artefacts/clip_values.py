"""Write the value of every clip as a CSV table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from foleybench.api.metric import Metric
from foleybench.artefacts.clip_table import ClipTable
from foleybench.artefacts.result import stats_of
from foleybench.files import write_atomically

_FIXED = ("clip_id", "source_id", "label", "duration_s")


def write_clip_values(path: Path, rows: ClipTable, metrics: Mapping[str, Metric]) -> list[str]:
    """Write a CSV with a line a clip and a column a metric; empty where a metric does not apply to the clip.

    Args:
        path: The table.
        rows: A row for every clip asked for.
        metrics: By name.

    Returns:
        The metrics of whole sets, which have no column.

    Raises:
        FoleyError: The table cannot be written.
    """
    columns = {
        name: {clip_id: metric.clip_value(stat) for clip_id, stat in stats_of(rows, name).items()}
        for name, metric in metrics.items()
        if metric.clip_value is not None
    }
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_FIXED, *columns])
    for row in rows:
        values = [column.get(row["clip_id"]) for column in columns.values()]
        numbers = ["" if value is None or value != value else repr(float(value)) for value in values]
        writer.writerow([*("" if row.get(name) is None else row[name] for name in _FIXED), *numbers])
    write_atomically(path, text.getvalue().encode())
    return [name for name in metrics if name not in columns]
