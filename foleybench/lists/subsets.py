"""Named test subsets of VGGSound's test split.

Papers score five different sets of its clips; here each has a name.

``clips.txt.gz`` holds the official test split, sorted; ``subsets.json`` says for each name which of its clips belong to
it, how many, the SHA-256 of the sorted ids, and where the list was published. Only ids are kept: facts, no media, no
labels. ``python -m foleybench.lists.build_subsets`` makes both files from the published lists.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from foleybench.clip_ids import segment_id
from foleybench.errors import FoleyError, UnknownNameError, unknown

FOLDER = Path(__file__).parent / "data"
CLIPS = "clips.txt.gz"
INDEX = "subsets.json"
# The version that a name alone means, for lists that their authors changed. Results always state the version.
_NEWEST = {"vggsounder": "vggsounder-1.0"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subset:
    """A named set of clips.

    Attributes:
        name: What ``--subset`` takes, or the stem of an ``--ids`` file.
        sha256: Hash of ``id_text`` of the ids: two subsets are equal exactly when their hashes are.
        ids: The clip ids; or ids of videos, which stand for all their clips.
        source: Where the list was published.
    """

    name: str
    sha256: str
    ids: frozenset[str]
    source: str = ""

    def has(self, clip_id: str, video_id: str) -> bool:
        """Return whether a clip of a video is in the subset."""
        return clip_id in self.ids or video_id in self.ids

    def facts(self) -> dict[str, Any]:
        """Return the facts on the subset for a result or a manifest."""
        return {"name": self.name, "sha256": self.sha256, "n_ids": len(self.ids)}


def id_text(ids: Iterable[str]) -> bytes:
    """Return ids as they are hashed: sorted by code point, each once, one a line."""
    return "".join(f"{clip_id}\n" for clip_id in sorted(set(ids))).encode("ascii")


def subset_names() -> list[str]:
    """Return the names of the shipped subsets, largest first."""
    index = _index()
    return sorted(index, key=lambda name: -int(index[name]["n_ids"]))


@functools.cache
def load_subset(name: str) -> Subset:
    """Return a shipped subset, checked against its recorded count and hash; a name without its version is the newest.

    Raises:
        UnknownNameError: There is no such subset.
        FoleyError: The shipped files are damaged.
    """
    index = _index()
    name = _NEWEST.get(name, name)
    if name not in index:
        raise UnknownNameError(unknown("subset", name, index))
    record = index[name]
    official = gzip.decompress((FOLDER / CLIPS).read_bytes()).decode("ascii").split()
    mask = zlib.decompress(base64.b64decode(record["mask"]))
    ids = frozenset(clip_id for k, clip_id in enumerate(official) if mask[k // 8] >> (k % 8) & 1)
    found = Subset(name=name, sha256=hashlib.sha256(id_text(ids)).hexdigest(), ids=ids, source=record["source"])
    if (found.sha256, len(ids)) != (record["sha256"], record["n_ids"]):
        raise FoleyError(f"the shipped list of subset {name} is damaged. Install foleybench again.")
    return found


def read_ids(path: Path) -> Subset:
    """Read an ``--ids`` file: any known layout of list, one clip id a line, or one id of a YouTube video a line.

    Raises:
        FoleyError: The file is missing or a line is no clip id; the line is named.
    """
    # Imported late: not every command needs the lists.
    from foleybench.lists import ListRow, read_list
    from foleybench.lists.read import shown_text

    if not path.is_file():
        raise FoleyError(f"no list of ids at {path}.")
    ids = set()
    plain = _plain_ids(path)
    if plain is not None:
        ids = plain
    else:
        for row in read_list(path):
            if not isinstance(row, ListRow):
                raise FoleyError(f"{path}, line {row.line}: {row.reason} ({row.shown}).")
            ids.add(segment_id(row.video_id, row.start_s, row.start_s + 10.0 if row.end_s is None else row.end_s))
    if not ids:
        raise FoleyError(f"{path} names no clip.")
    return Subset(name=shown_text(path.stem), sha256=hashlib.sha256(id_text(ids)).hexdigest(), ids=frozenset(ids))


def _plain_ids(path: Path) -> set[str] | None:
    """Return the lines of a file that holds only ids of clips as we write them, or only those of videos; else None."""
    from foleybench.clip_ids import VALID
    from foleybench.lists.read import VIDEO_ID

    lines = path.read_bytes().decode("utf-8", errors="replace").split()
    known = (VALID, VIDEO_ID)
    return set(lines) if lines and any(all(map(one.fullmatch, lines)) for one in known) else None


def _index() -> dict[str, dict[str, Any]]:
    index: dict[str, dict[str, Any]] = json.loads((FOLDER / INDEX).read_text(encoding="utf-8"))["subsets"]
    return index
