"""Link rows of the leaderboard to their listening pages.

``foleybench report --out leaderboards/listening/<data set>.html`` makes one, to which a row leads
when its system is on it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

FOLDER = "listening"
_TRACK = re.compile(r'<li class="track(?: missing)?"[^>]* data-name="([^"]*)"')


class ListeningSamples(NamedTuple):
    """A listening page.

    Attributes:
        page: Its address, from the leaderboard's page.
        systems: Names of the systems on it.
    """

    page: str
    systems: frozenset[str]

    def link(self, system: str) -> str:
        """Return the address of a system's audio, or "" when it is not on the page."""
        return f"{self.page}#system={quote(system, safe='')}" if system in self.systems else ""


def find_sounds(home: Path) -> Mapping[str, ListeningSamples]:
    """Return data set -> listening page for the pages in a leaderboard's folder."""
    found = {}
    for path in sorted((home / FOLDER).glob("*.html")):
        names = _TRACK.findall(path.read_text(encoding="utf-8", errors="replace"))
        found[path.stem] = ListeningSamples(f"{FOLDER}/{quote(path.name)}", frozenset(map(html.unescape, names)))
    return found
