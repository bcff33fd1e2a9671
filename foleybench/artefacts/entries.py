"""Read the results of a folder; refuse contradictions."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foleybench.api.metric import Stat
from foleybench.artefacts import result as results
from foleybench.artefacts.clip_table import ClipTable
from foleybench.artefacts.fewer_clips import n_asked
from foleybench.errors import ResultError

# Kinds of rows that are ranked. Oracles and controls are shown beside them: they use data that no system may use.
RANKED_KINDS = ("model", "baseline", "folder")
_TAKEN_NAMES = ("index", "published")


@dataclasses.dataclass(frozen=True)
class ResultEntry:
    """One result file with its clip table.

    Attributes:
        path: The JSON file.
        name: Its path below the results folder, with forward slashes.
        result: Its content.
    """

    path: Path
    name: str
    result: Mapping[str, Any]

    @property
    def row_name(self) -> str:
        """Name of the system."""
        return str(self.result["model"]["name"])

    @property
    def weights(self) -> str | None:
        """SHA-256 of the weights that were scored; None for a system that has none, or does not say."""
        found: str | None = self.result["model"].get("checkpoint_sha256")
        return found

    @property
    def n_asked(self) -> int:
        """Number of clips that were to be scored: those that could not be are counted, those beyond a limit are not."""
        return n_asked(self.result)

    @property
    def board_key(self) -> tuple[str, str, str, str, str]:
        """The values that two results in one table share: data set, split, protocol, manifest, subset."""
        dataset, protocol = self.result["dataset"], self.result["protocol"]["name"]
        subset = results.subset_sha256(self.result)
        return dataset["name"], dataset["split"], protocol, dataset["manifest_sha256"], subset

    @functools.cached_property
    def rows(self) -> ClipTable:
        """The clip table, checked against the hash in the result."""
        return results.read_clips(self.path)

    @property
    def sources(self) -> dict[str, str]:
        """Clip id -> source video."""
        return {row["clip_id"]: row["source_id"] for row in self.rows}

    def stats(self, metric: str, part: str = "stats") -> dict[str, Stat]:
        """Return clip id -> statistics of a metric; ``part`` as of ``results.stats_of``.

        Raises:
            ResultError: The statistics are in a file of large statistics that is absent (see ``lacks``).
        """
        return results.stats_of(self.rows, metric, part)

    def lacks(self, metric: str) -> bool:
        """Return whether a metric's statistics are too large for the table and their file is not here."""
        return self.rows.lacks(metric)


def read_entry(path: Path, folder: Path | None = None) -> ResultEntry:
    """Read one result file.

    Args:
        path: The JSON file.
        folder: Folder to which the result's name is relative.

    Raises:
        ResultError: The file is broken, edited, or its data set has the name of another file of the leaderboard.
    """
    result = results.read_result(path)
    dataset = str(result["dataset"]["name"])
    if dataset in _TAKEN_NAMES:
        raise ResultError(
            f"{path} is about data set {dataset!r}; that name is taken by {dataset}.*. Rename the data set."
        )
    return ResultEntry(path, path.relative_to(folder).as_posix() if folder else path.name, result)


def read_all(folder: Path) -> list[ResultEntry]:
    """Read every result below a folder, sorted by name.

    Raises:
        ResultError: A file is broken or edited, or two files are about the same thing; the files are named.
    """
    entries = [read_entry(path, folder) for path in sorted(folder.glob("*/*.json"))]
    _refuse_duplicates(entries)
    return entries


def _refuse_duplicates(entries: Sequence[ResultEntry]) -> None:
    """Refuse two results of one system in one table: file times do not tell which one counts."""
    seen: dict[tuple[str, ...], ResultEntry] = {}
    for entry in entries:
        key = (*entry.board_key, entry.row_name)
        if key in seen:
            raise ResultError(
                f"{seen[key].path} and {entry.path} are both about {entry.row_name!r} on the same clips and protocol. "
                "Delete the one that no longer counts, or give one of them another name."
            )
        seen[key] = entry
