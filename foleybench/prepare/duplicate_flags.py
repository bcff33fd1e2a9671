"""Flag copies in manifests, within a split and between splits.

A manifest depends on its own split only, since its hash names the test set: a test set must not change its name when
a training split is prepared beside it. So copies inside a split are flags there (``duplicate`` or ``same_sound``, with
``duplicate_of`` and ``duplicate_kind``), and copies between splits are lines of ``duplicates.jsonl``, which is made
from all the manifests of the folder and says which ones these were.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from foleybench.errors import ManifestError
from foleybench.files import canonical_json, write_atomically
from foleybench.prepare.duplicates import SAME_SOUND, Content, Copy, content_of, find_copies
from foleybench.prepare.overlaps import OVERLAP, Stretch, find_overlaps, stretch_of
from foleybench.prepare.shifted import find_shifted
from foleybench.shards.manifest import SUFFIX
from foleybench.shards.members import MARKS, unmarked

BETWEEN = "duplicates.jsonl"
# 2: with clips that show the same seconds of one video. 3: with clips whose sounds share seconds, by their content.
_SCHEMA = 3


def flag_duplicates(blocks: Callable[[], Iterable[bytes]]) -> Iterator[bytes]:
    """Yield blocks of lines of one split's manifest with the copies among them flagged; earlier flags are removed.

    Args:
        blocks: Returns the blocks from the start, each time it is called (twice).
    """
    contents = [_content(line, "") for block in blocks() for line in block.splitlines()]
    copies = {copy.index: copy for copy in find_copies(contents)}
    index = 0
    for block in blocks():
        lines = block.splitlines()
        marked = [_marked(line, copies.get(at), contents) for at, line in enumerate(lines, start=index)]
        index += len(lines)
        yield b"".join(line + b"\n" for line in marked)


def write_between(out: Path) -> Path | None:
    """Write the copies between the splits whose manifests lie in a folder; None when there are fewer than two.

    Raises:
        ManifestError: A line of a manifest is damaged.
    """
    path = out / BETWEEN
    manifests = {manifest.name.removesuffix(SUFFIX): manifest for manifest in sorted(out.glob(f"*{SUFFIX}"))}
    if len(manifests) < 2:
        path.unlink(missing_ok=True)
        return None
    head = {"schema": _SCHEMA, "manifests": {split: _sha256(manifests[split]) for split in manifests}}
    if path.is_file() and _is_of(path, head, out):
        return path
    contents, intervals = list[Content](), list[Stretch]()
    for split, manifest in manifests.items():
        for record in _records(manifest):
            contents.append(content_of(record, f"{split}/{record['clip_id']}"))
            intervals += filter(None, [stretch_of(record, split)])
    copies = find_copies(contents)
    found = list(_rows(contents, copies, intervals))
    overlaps = {frozenset(row["clips"]) for row in found}
    original = {contents[copy.index].name: contents[copy.of].name for copy in copies}
    n_unread: dict[str, int] = {}

    def known(one: str, other: str) -> bool:
        return frozenset((one, other)) in overlaps or original.get(one, one) == original.get(other, other)

    found += [
        {"clips": [pair.first, pair.second], "kind": pair.kind, "shared_s": pair.shared_s, "shift_s": pair.shift_s}
        for pair in sorted(find_shifted(manifests, known, n_unread))
    ]
    lines = [canonical_json(row) for row in ({**head, "unread": n_unread}, *found)]
    write_atomically(path, "".join(f"{line}\n" for line in lines).encode())
    return path


def read_between(folder: Path) -> list[dict[str, Any]] | None:
    """Return the copies between the splits of a folder, or None when no search ran over these very manifests.

    Returns:
        Objects with ``clips`` (two of ``<split>/<clip id>``) and ``kind``. Of kind ``overlap``, for clips that show the
        same seconds of one video by their ids, with ``shared_s``: how many. Of kind ``shifted``, for clips whose
        content says so, or ``shifted_sound`` (the audio alone), also with ``shift_s``: how much later the second
        starts.
    """
    path = folder / BETWEEN
    if not path.is_file():
        return None
    head, *rows = path.read_bytes().splitlines()
    known = json.loads(head)["manifests"]
    there = {m.name.removesuffix(SUFFIX): _sha256(m) for m in folder.glob(f"*{SUFFIX}")}
    return [json.loads(row) for row in rows] if known == there else None


def count_unread(folder: Path) -> dict[str, int]:
    """Return for each split how many clips' sounds were not there when shifted copies were looked for; empty: none."""
    path = folder / BETWEEN
    return dict(_head(path).get("unread", {})) if path.is_file() else {}


def _rows(contents: list[Content], copies: list[Copy], intervals: list[Stretch]) -> Iterator[dict[str, Any]]:
    told = set()
    for copy in copies:
        clips = [contents[copy.of].name, contents[copy.index].name]
        if clips[0].partition("/")[0] != clips[1].partition("/")[0]:
            told.add(frozenset(clips))
            yield {"clips": clips, "kind": copy.kind}
    for one, other, shared_s in find_overlaps(intervals):
        if frozenset((one.name, other.name)) not in told:
            yield {"clips": sorted((one.name, other.name)), "kind": OVERLAP, "shared_s": round(shared_s, 3)}


def _records(manifest: Path) -> Iterator[dict[str, Any]]:
    with manifest.open("rb") as handle:
        handle.readline()
        for number, line in enumerate(handle, start=2):
            try:
                record = json.loads(line)
                content_of(record, record["clip_id"])
                stretch_of(record, "")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ManifestError(f"{manifest}, line {number} is damaged ({error!r}). Prepare it again.") from error
            yield record


def _content(line: bytes, prefix: str) -> Content:
    record = json.loads(line)
    return content_of(record, f"{prefix}{record['clip_id']}")


def _marked(line: bytes, copy: Copy | None, contents: list[Content]) -> bytes:
    if copy is None and not any(f'"{key}"'.encode() in line for key in MARKS):
        return line
    record = json.loads(line)
    facts = unmarked(record["facts"])
    if copy is not None:
        mark = "same_sound" if copy.kind == SAME_SOUND else "duplicate"
        facts["flags"] = sorted({*facts.get("flags", []), mark})
        facts |= {"duplicate_of": contents[copy.of].name, "duplicate_kind": copy.kind}
    record["facts"] = facts
    return canonical_json(record).encode()


def _is_of(path: Path, head: dict[str, Any], out: Path) -> bool:
    """Return whether a file was made from these manifests, and no shard has come since that was missing then."""
    stored = _head(path)
    unread = stored.pop("unread", {})
    return stored == head and not any(next(out.glob(f"{split}-*.tar"), None) for split in unread)


def _head(path: Path) -> dict[str, Any]:
    with path.open("rb") as handle:
        head: dict[str, Any] = json.loads(handle.readline())
    return head


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
