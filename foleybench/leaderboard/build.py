"""Make all files of the leaderboard, then write or compare them."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping
from pathlib import Path

from foleybench.artefacts.entries import read_all
from foleybench.artefacts.published import read_published
from foleybench.artefacts.published import tables as reported_tables
from foleybench.files import write_atomically
from foleybench.leaderboard import page, tables
from foleybench.leaderboard.board import make_boards
from foleybench.leaderboard.listening import find_sounds
from foleybench.leaderboard.paper_tables import find_paper_tables
from foleybench.leaderboard.people_column import with_people
from foleybench.leaderboard.recompute import not_recomputed, require_recomputed


def leaderboard_files(
    results_folder: Path, published: Path | None, home: Path | None = None, people: Path | None = None
) -> dict[str, bytes]:
    """Return file name -> content of everything that the leaderboard consists of; say what could not be recomputed.

    Args:
        results_folder: Folder of the result files, one folder a data set.
        published: The list of reported values, or None for a page without them.
        home: Where the page will lie: rows lead to the listening pages that are there, and a
            section to the paper's tables; None for neither.
        people: Where the results of listening tests lie; None for the folder ``people`` beside the results.

    Raises:
        ResultError: A result is broken, or its clip table gives other values.
    """
    entries = read_all(results_folder)
    require_recomputed(entries)
    sys.stderr.write("".join(f"{sentence}\n" for sentence in not_recomputed(entries)))
    boards = with_people(make_boards(entries), people or results_folder.parent / "people")
    reported = reported_tables(read_published(published)) if published else []
    files: dict[str, str] = {}
    for dataset, group in itertools.groupby(boards, key=lambda board: board.dataset):
        chosen = list(group)
        files[f"{dataset}.csv"] = tables.board_csv(chosen)
        files[f"{dataset}.md"] = tables.board_markdown(chosen)
    if reported:
        files["published.md"] = tables.published_markdown(reported)
    sounds, paper_tables = (find_sounds(home), find_paper_tables(home)) if home else (None, ())
    files["index.html"] = page.render_leaderboard(boards, reported, sounds, paper_tables)
    return {name: content.encode() for name, content in sorted(files.items())}


def write_leaderboard(files: Mapping[str, bytes], out: Path) -> list[Path]:
    """Write changed files, remove this package's files of data sets without results; return the paths touched."""
    touched = []
    for name, content in files.items():
        path = out / name
        if not path.is_file() or path.read_bytes() != content:
            write_atomically(path, content)
            touched.append(path)
    for path in _leftovers(files, out):
        path.unlink()
        touched.append(path)
    return touched


def stale(files: Mapping[str, bytes], out: Path) -> list[str]:
    """Return a sentence for each file that writing would change."""
    found = []
    for name, content in files.items():
        path = out / name
        if not path.is_file():
            found.append(f"{path} is missing")
        elif path.read_bytes() != content:
            found.append(f"{path} is not what the results give")
    return found + [f"{path} belongs to no result" for path in _leftovers(files, out)]


def _leftovers(files: Mapping[str, bytes], out: Path) -> list[Path]:
    """Return our tables of data sets without results, each with its CSV file."""
    found = []
    for path in sorted(out.glob("*.md")):
        if path.name not in files and path.read_text(encoding="utf-8", errors="replace").startswith(tables.MARK):
            found += [other for other in (path, path.with_suffix(".csv")) if other.is_file()]
    return [path for path in found if path.name != "published.csv"]
