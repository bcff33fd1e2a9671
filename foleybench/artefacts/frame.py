"""Return results as one pandas table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleybench.artefacts.entries import ResultEntry, read_all
from foleybench.runtime.extras import require_package

if TYPE_CHECKING:
    import pandas as pd

_METRIC_COLUMNS = ("value", "low", "high", "unit", "better", "corrected", "n_used", "n_asked", "version")
_COLUMNS = ("system", "kind", "dataset", "split", "protocol", "metric", *_METRIC_COLUMNS, "file")


def results_frame(folder: Path | str) -> pd.DataFrame:
    """Return every value of the results below a folder as a ``pandas.DataFrame`` (extra ``tables``).

    One row per result and metric, in order of file and metric. Columns: ``system``, ``kind``, ``dataset``, ``split``,
    ``protocol``, ``metric``, then of the metric ``value``, ``low`` and ``high`` (its interval, in ``unit``),
    ``better`` (higher or lower), ``corrected`` (for the sample size), ``n_used`` of ``n_asked`` clips and ``version``,
    and last ``file``. What is undefined is missing. Only rows of one dataset, split, protocol and version compare.

    Args:
        folder: A folder of results, as ``leaderboards/results``: files ``<dataset>/<system>.<id>.json``.

    Raises:
        ResultError: A file is broken or edited, or two files are about the same thing.
        FoleyError: pandas is not installed.

    Example:
        >>> from foleybench import results_frame
        >>> table = results_frame(results)
        >>> table[["system", "metric", "n_used", "unit"]].to_dict("records")
        [{'system': 'ours', 'metric': 'event_f1', 'n_used': 40, 'unit': '1'}]
    """
    require_package("pandas", "A table of results")
    import pandas as pd

    rows = [row for entry in read_all(Path(folder)) for row in _rows(entry)]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _rows(entry: ResultEntry) -> list[dict[str, Any]]:
    about = {
        "system": entry.row_name,
        "kind": entry.result["model"]["kind"],
        "dataset": entry.result["dataset"]["name"],
        "split": entry.result["dataset"]["split"],
        "protocol": entry.result["protocol"]["name"],
        "file": entry.name,
    }
    return [
        {**about, "metric": name, **{column: record.get(column) for column in _METRIC_COLUMNS}}
        for name, record in entry.result["metrics"].items()
    ]
