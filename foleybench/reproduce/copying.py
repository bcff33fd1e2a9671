"""Show how much of each row's audio is training audio."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

from foleybench import registry
from foleybench.artefacts.entries import ResultEntry
from foleybench.reproduce.cells import clips_text
from foleybench.reproduce.measure import Measured, SeedsCell, cell, read_results
from foleybench.reproduce.plan import Setup, is_on_all_clips, row_name
from foleybench.reproduce.rows import Grid

METRIC = "copying_share"
# What nobody copied: how much of it is found all the same.
TRUTH = "ground_truth"
# As many of each class of the test split as there are; the search takes longer than the other metrics together.
_MOST_CLIPS = 108
_WORDS = (
    "Share of the audible windows of 128 ms whose waveform occurs in the training audio, mean over seeds [95 % "
    "interval]. A low Fréchet distance with a high share is a copier's. A "
    "copy that went through a vocoder has another waveform and is not found, so a network's zero says that no waveform "
    "was pasted, not that nothing was learned by heart."
)


def copying_folder(setup: Setup) -> Path:
    """Return the folder of the shares' results, apart from the tables', which are of a protocol."""
    return setup.results.parent / "copying"


def n_clips(setup: Setup) -> int:
    """Return how many clips of a row are searched."""
    return min(_MOST_CLIPS, setup.clips or _MOST_CLIPS)


def up_to_date(setup: Setup) -> set[str]:
    """Return the rows whose share is of the audio that their result in the table is of, on as many clips as asked.

    Clips that were asked for count, scored or not: where one has no audio, searching again does not help.
    """
    rows, version = read_results(setup.results), registry.load("metrics", METRIC).version
    searched = dataclasses.replace(setup, clips=n_clips(setup))
    return {
        name
        for name, share in _shares(setup, rows).items()
        if name in rows and is_on_all_clips(searched, share) and share.result["metrics"][METRIC]["version"] == version
    }


def _shares(setup: Setup, rows: Mapping[str, ResultEntry]) -> dict[str, ResultEntry]:
    """Return the shares by row, without those of other weights or another test set than the row's result."""
    folder = copying_folder(setup)
    found = read_results(folder) if folder.is_dir() else {}
    return {name: share for name, share in found.items() if name not in rows or _made_of(share) == _made_of(rows[name])}


def _made_of(entry: ResultEntry) -> tuple[str | None, str]:
    return entry.weights, entry.result["dataset"]["manifest_sha256"]


def missing_shares(setup: Setup, grid: Grid, rows: Mapping[str, ResultEntry]) -> list[str]:
    """Return, for a table that shows copying, what measured rows lack."""
    measured = [row_name(setup, row, seed) for row in grid.rows if row.variant for seed in range(setup.seeds)]
    wanted = [name for name in [*measured, TRUTH] if name in rows] if grid.copying else []
    found = _shares(setup, rows)
    return [f"copying share of {name}" for name in wanted if name not in found]


def copying_text(setup: Setup, grid: Grid, rows: Mapping[str, ResultEntry]) -> str:
    """Return the part of a page on copying; empty where none of the table's rows was measured.

    Args:
        setup: Decides the names of the rows and the folder of the shares.
        grid: The table.
        rows: The tables' results: shares of a row's earlier weights are left out.

    Raises:
        ResultError: A result is broken or edited, or they are of different clips.
    """
    results = _shares(setup, rows)
    lines = []
    for row in grid.rows:
        names = [row_name(setup, row, seed) for seed in range(setup.seeds)] if row.variant else []
        lines += _line(row.label, [results[name] for name in names if name in results])
    if not lines:
        return ""
    lines += _line("*Ground truth* (control)", [results[TRUTH]] if TRUTH in results else [])
    head = ["| Row | Copying share (%) | Seeds | Clips |", "| --- | ---: | ---: | ---: |"]
    return "\n".join(
        ["## How much is copied", "", *head, *lines, "", f"{_WORDS} Result files: `{copying_folder(setup).name}/`."]
    )


def _line(label: str, entries: Iterable[ResultEntry]) -> list[str]:
    measured = Measured(list(entries))
    if not measured.entries:
        return []
    value = _percent(cell(METRIC, measured))
    return [f"| {label} | {value} | {len(measured.entries)} | {clips_text(measured)} |"]


def _percent(found: SeedsCell) -> str:
    # Where no clip differs from another, their variance says nothing.
    known = found.low is not None and found.high is not None and found.low < found.high
    return f"{found.value:.1f} [{found.low:.1f}, {found.high:.1f}]" if known else f"{found.value:.1f}"
