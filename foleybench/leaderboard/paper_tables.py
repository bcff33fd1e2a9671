"""Link the leaderboard to the paper's tables beside it.

``foleybench reproduce`` writes them as Markdown into the folder ``reproduce`` of a leaderboard's folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

FOLDER = "reproduce"
_MADE = "<!-- Written by `foleybench reproduce"


class PaperTable(NamedTuple):
    """A page that ``foleybench reproduce`` made.

    Attributes:
        title: Its heading.
        page: Its address, from the leaderboard's page.
    """

    title: str
    page: str


def find_paper_tables(home: Path) -> list[PaperTable]:
    """Return the pages in a leaderboard's folder: tables with a number first, in their order, then the others."""
    found = []
    for path in filter(Path.is_file, (home / FOLDER).glob("*.md")):
        text = path.read_text(encoding="utf-8", errors="replace")
        headings = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")]
        if text.startswith(_MADE) and headings:
            found.append(PaperTable(headings[0], f"{FOLDER}/{quote(path.name)}"))
    return sorted(found, key=lambda table: (not table.title.startswith("Table "), table))
