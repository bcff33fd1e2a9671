"""The manifest: ``<split>.manifest.jsonl``, a header line, then one line per clip asked for, also the lost ones.

The SHA-256 of the file names the test set: two results compare only if it agrees.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from foleybench.errors import ManifestError
from foleybench.files import canonical_json, write_atomically

_T = TypeVar("_T")

SCHEMA = 1
SUFFIX = ".manifest.jsonl"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Header:
    """First line of a manifest.

    Attributes:
        dataset: Name of the data set.
        split: Name of the split.
        version: Version of the data set's recipe.
        profile: The profile's fields.
        tools: Versions of what decided the bytes.
        schema: Version of this file format.
    """

    dataset: str
    split: str
    version: int
    profile: dict[str, Any]
    tools: dict[str, str]
    schema: int = SCHEMA


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """One clip asked for.

    Attributes:
        clip_id: Id of the clip.
        source: Where it comes from.
        source_id: The video it was cut from.
        label: Class name or "".
        status: ``ok`` or one word for the failure.
        reason: A sentence on the failure, "" when ok.
        shard: File name of the tar that holds it, None unless ok.
        audio_sha256: Of the FLAC member, None unless ok.
        video_sha256: Of the MP4 member, None unless ok.
        facts: Durations, rates, fps, sizes, asked and real interval, ``av_offset_s``, ``flags`` ...
    """

    clip_id: str
    source: str
    source_id: str
    label: str
    status: str
    reason: str = ""
    shard: str | None = None
    audio_sha256: str | None = None
    video_sha256: str | None = None
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A header and its entries, with the hash of the file they were read from."""

    header: Header
    entries: tuple[Entry, ...]
    sha256: str

    def ok(self) -> list[Entry]:
        """Return the entries that can be used."""
        return [entry for entry in self.entries if entry.status == "ok"]

    def counts(self) -> dict[str, int]:
        """Return how many entries have each status, sorted by name."""
        counts: dict[str, int] = {}
        for entry in self.entries:
            counts[entry.status] = counts.get(entry.status, 0) + 1
        return dict(sorted(counts.items()))


def manifest_path(folder: Path, split: str) -> Path:
    """Return where the manifest of a split lies."""
    return folder / f"{split}{SUFFIX}"


def manifest_bytes(header: Header, entries: Iterable[Entry]) -> bytes:
    """Return a manifest as it is written: one canonical JSON line each."""
    lines = [canonical_json(dataclasses.asdict(header))]
    lines += map(entry_line, entries)
    return ("\n".join(lines) + "\n").encode()


def entry_line(entry: Entry) -> str:
    """Return an entry as it stands in a manifest, without the end of the line."""
    # Not `asdict`, which copies the facts of millions of entries deeply.
    return canonical_json(vars(entry))


def write_manifest(path: Path, header: Header, entries: Iterable[Entry]) -> None:
    """Write a manifest atomically."""
    write_atomically(path, manifest_bytes(header, entries))


def join_manifest(path: Path, header: Header, blocks: Iterable[bytes]) -> str:
    """Write a manifest from blocks of finished lines, one in memory at a time; the file stays under a temporary name.

    Returns:
        The SHA-256 of the whole, which ``path`` gets when ``joined_path(path)`` is renamed to it.
    """
    digest = hashlib.sha256()
    path.parent.mkdir(parents=True, exist_ok=True)
    with joined_path(path).open("wb") as handle:
        for block in itertools.chain([canonical_json(dataclasses.asdict(header)).encode() + b"\n"], blocks):
            digest.update(block)
            handle.write(block)
        handle.flush()
        os.fsync(handle.fileno())
    return digest.hexdigest()


def joined_path(path: Path) -> Path:
    """Return the temporary name under which ``join_manifest`` writes."""
    return path.with_name(f".{path.name}.joined")


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        ManifestError: The file is missing, is not a manifest, or has another schema; the line is named.
    """
    if not path.is_file():
        raise ManifestError(f"no manifest at {path}. Make one with `foleybench prepare`, or name another with --data.")
    raw = path.read_bytes()
    # Not `str.splitlines`, which also splits at characters that a label may hold (U+2028).
    lines = [line.decode("utf-8", errors="replace") for line in raw.splitlines()]
    if not lines:
        raise ManifestError(f"{path} is empty. Run `foleybench prepare` again.")
    header = _parse(path, 1, lines[0], Header)
    if header.schema != SCHEMA:
        raise ManifestError(f"{path} has schema {header.schema}, this version reads {SCHEMA}. Prepare the data again.")
    entries = tuple(_parse(path, number, line, Entry) for number, line in enumerate(lines[1:], start=2))
    _refuse_duplicates(path, entries)
    return Manifest(header, entries, hashlib.sha256(raw).hexdigest())


def _parse(path: Path, number: int, line: str, kind: type[_T]) -> _T:
    try:
        return kind(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise ManifestError(f"{path}, line {number} is not a {kind.__name__.lower()}: {error}") from error


def _refuse_duplicates(path: Path, entries: Sequence[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.status == "ok" and entry.clip_id in seen:
            raise ManifestError(f"{path} names clip {entry.clip_id!r} twice as ok; a manifest has one line a clip.")
        seen.add(entry.clip_id)
