"""Show how much of each row's audio is training audio."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from foleybench.artefacts.entries import ResultEntry
from foleybench.reproduce.grids import Grid
from foleybench.reproduce.measure import Measured, SeedsCell, cell, read_results
from foleybench.reproduce.plan import Setup, row_name

METRIC = "copying_share"
# What nobody copied: how much of it is found all the same.
_TRUTH = "ground_truth"
_WORDS = (
    "Share of the audible windows of 128 ms whose waveform occurs in the training audio, mean over seeds [95 % "
    "interval]. A low Fréchet distance with a high share is a copier's. A "
    "copy that went through a vocoder has another waveform and is not found, so a network's zero says that no waveform "
    "was pasted, not that nothing was learned by heart."
)


def copying_text(setup: Setup, grid: Grid, folder: Path) -> str:
    """Return the part of a page on copying; empty where none of the table's rows was measured.

    Args:
        setup: Decides the names of the rows.
        grid: The table.
        folder: Results of the metric ``copying_share``.

    Raises:
        ResultError: A result is broken or edited, or they are of different clips.
    """
    results = read_results(folder) if folder.is_dir() else {}
    lines = []
    for row in grid.rows:
        names = [row_name(setup, row, seed) for seed in range(setup.seeds)] if row.variant else []
        lines += _line(row.label, [results[name] for name in names if name in results])
    if not lines:
        return ""
    lines += _line("*Ground truth* (control)", [results[_TRUTH]] if _TRUTH in results else [])
    head = ["| Row | Copying share (%) | Seeds | Clips |", "| --- | ---: | ---: | ---: |"]
    return "\n".join(["## How much is copied", "", *head, *lines, "", f"{_WORDS} Result files: `{folder.name}/`."])


def _line(label: str, entries: Iterable[ResultEntry]) -> list[str]:
    measured = Measured(list(entries))
    if not measured.entries:
        return []
    clips = "/".join(str(n) for n in sorted({int(entry.result["dataset"]["n_scored"]) for entry in measured.entries}))
    return [f"| {label} | {_percent(cell(METRIC, measured))} | {len(measured.entries)} | {clips} |"]


def _percent(found: SeedsCell) -> str:
    # Where no clip differs from another, their variance says nothing.
    known = found.low is not None and found.high is not None and found.low < found.high
    return f"{found.value:.1f} [{found.low:.1f}, {found.high:.1f}]" if known else f"{found.value:.1f}"
