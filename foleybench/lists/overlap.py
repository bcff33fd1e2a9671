"""Find clips and source videos that two lists share.

Two lists may share a clip, or only another clip of the same video.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from foleybench.errors import FoleyError
from foleybench.lists.read import ListRow, key_of, read_list


class OtherList:
    """The videos and clips of another list.

    Attributes:
        name: The list's name in the manifest.
        n_rows: Usable rows.
        n_bad: Rows that could not be used.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.n_rows = self.n_bad = 0
        self._videos: set[str] = set()
        self._clips: set[tuple[str, int]] = set()
        for row in read_list(path):
            if not isinstance(row, ListRow):
                self.n_bad += 1
                continue
            self.n_rows += 1
            self._videos.add(row.video_id)
            self._clips.add(key_of(row.video_id, row.start_s))
        if not self.n_rows:
            raise FoleyError(f"{path} holds no row that can be compared, {self.n_bad} that cannot be used.")

    def holds(self, row: ListRow) -> str:
        """Return ``segment`` (the same video and start), ``video`` (the same video only) or ""."""
        if row.video_id not in self._videos:
            return ""
        return "segment" if key_of(row.video_id, row.start_s) in self._clips else "video"


def parse_other(text: str) -> OtherList:
    """Read the list of ``--overlap NAME=LIST``.

    Raises:
        FoleyError: The text is not of that form, or the list cannot be read.
    """
    name, equals, path = text.partition("=")
    if not equals or not name.isidentifier() or not path:
        raise FoleyError(f"--overlap {text!r}: write NAME=LIST, for example audioset_eval=eval_segments.csv.")
    return OtherList(name, Path(path))


def overlap(row: ListRow, others: Sequence[OtherList]) -> dict[str, str]:
    """Return the name of each list that shares something with a row, and what."""
    return {other.name: what for other in others if (what := other.holds(row))}
