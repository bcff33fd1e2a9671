"""Read and write the manifest of a split.

``<split>.manifest.jsonl`` has a header line, then one line per clip asked for, also for lost ones.

Schema 2 states in the header how many lines follow and their SHA-256, and in each line the hash of the clip's JSON
member: a manifest that was cut or altered, and a sample that is not the one recorded, are refused. Schema 1, which
knows neither, is read too. ``Manifest.sha256`` names the test set, the same in either schema (``manifest_lines``).
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from foleybench.errors import ManifestError
from foleybench.files import canonical_json, write_atomically
from foleybench.shards.manifest_lines import HEADER_ONLY, SCHEMA, ManifestLines, no_header, parse_line, require_types

SUFFIX = ".manifest.jsonl"

# Statuses of a manifest; another status, from a plug-in, is recorded as FAILED with its word.
FAILED = "failed"
STATUSES = frozenset(
    (
        *("ok", FAILED, "bad_row", "duplicate_id", "not_here", "missing", "not_a_file", "empty_file", "unreadable"),
        *("no_video", "no_audio", "no_caption", "unsupported_codec", "too_large", "undecodable", "not_finite"),
        *("out_of_range", "bad_rate", "no_overlap", "ends_early", "too_short", "out_of_memory", "timeout", "crashed"),
        *("bot_check", "rate_limited", "age_limited", "region_blocked", "private", "members_only", "not_yet"),
        *("no_format", "drm_protected", "removed", "no_video_there", "truncated", "stalled", "unreachable"),
        *("forbidden", "client_refused", "server_error", "fetch_failed"),
    )
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Header:
    """First line of a manifest, without its facts on the lines that follow.

    Attributes:
        dataset: Name of the data set.
        split: Name of the split.
        version: Version of the data set's recipe.
        profile: The profile's fields.
        tools: Versions of the libraries that decided the bytes.
    """

    dataset: str
    split: str
    version: int
    profile: dict[str, Any]
    tools: dict[str, str]

    def as_schema_1(self) -> dict[str, Any]:
        """Return the header as schema 1 writes it, from which a test set gets its name and a split its fingerprint."""
        return {**dataclasses.asdict(self), "schema": 1}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """One clip asked for.

    Attributes:
        clip_id: Id of the clip.
        source: Where it comes from.
        source_id: The video it was cut from.
        label: Class name or "".
        status: ``ok`` or one word for the failure, of ``STATUSES``.
        reason: A sentence on the failure, "" when ok.
        shard: File name of the tar that holds it, None unless ok.
        audio_sha256: SHA-256 of the FLAC member, None unless ok.
        video_sha256: SHA-256 of the MP4 member, None unless ok.
        json_sha256: SHA-256 of the JSON member, None unless ok, and in lines that were written before schema 2.
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
    json_sha256: str | None = None
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A header and its entries, with the hash that names the test set."""

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
    """Return the path of a split's manifest."""
    return folder / f"{split}{SUFFIX}"


def manifest_bytes(header: Header, entries: Iterable[Entry]) -> bytes:
    """Return a manifest as it is written: one canonical JSON line each."""
    lines = "".join(f"{entry_line(entry)}\n" for entry in entries).encode()
    return _header_line(header, lines.count(b"\n"), hashlib.sha256(lines).hexdigest()) + lines


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
        The SHA-256 of the file, which ``path`` has when ``joined_path(path)`` is renamed to it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lines_path = path.with_name(f".{path.name}.lines")
    digest, n_lines = hashlib.sha256(), 0
    with lines_path.open("wb") as handle:
        for block in blocks:
            digest.update(block)
            n_lines += block.count(b"\n")
            handle.write(block)
    with joined_path(path).open("w+b") as handle, lines_path.open("rb") as lines:
        handle.write(_header_line(header, n_lines, digest.hexdigest()))
        shutil.copyfileobj(lines, handle)
        handle.flush()
        os.fsync(handle.fileno())
        handle.seek(0)
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    lines_path.unlink()
    return sha256


def joined_path(path: Path) -> Path:
    """Return the temporary name under which ``join_manifest`` writes."""
    return path.with_name(f".{path.name}.joined")


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        ManifestError: The file is missing, is no manifest, has another schema, or was cut or altered since it was
            made; the line is named.
    """
    if not path.is_file():
        raise ManifestError(f"no manifest at {path}. Make one with `foleybench prepare`, or name another with --data.")
    with path.open("rb") as handle:
        lines = ManifestLines(str(path), handle)
        entries = tuple(parse_entry(str(path), number, line) for number, line in lines)
    _refuse_duplicates(path, entries)
    return Manifest(header_of(lines), entries, lines.sha256)


def header_of(lines: ManifestLines) -> Header:
    """Return the header of a manifest that is being read.

    Raises:
        ManifestError: The header lacks a field, or has one of another type or name.
    """
    record = {key: value for key, value in lines.header.items() if key not in HEADER_ONLY}
    types = {"dataset": str, "split": str, "version": int, "profile": dict, "tools": dict}
    try:
        require_types(record, types)
        return Header(**record)
    except (TypeError, ValueError) as error:
        raise no_header(lines.where, error) from error


_TEXT, _MAYBE_TEXT = str, (str, type(None))
_ENTRY_TYPES = {
    **dict.fromkeys(("clip_id", "source", "source_id", "label", "status", "reason"), _TEXT),
    **dict.fromkeys(("shard", "audio_sha256", "video_sha256", "json_sha256"), _MAYBE_TEXT),
    "facts": dict,
}


def parse_entry(where: str, number: int, line: bytes) -> Entry:
    """Read a line of a manifest.

    Args:
        where: The manifest, for messages.
        number: Of the line, from 1.
        line: Its bytes.

    Raises:
        ManifestError: The line is no entry: no JSON, a field is missing or of another type, an unknown status.
    """
    try:
        record = parse_line(line)
        require_types(record, _ENTRY_TYPES)
        entry = Entry(**record)
    except (ValueError, TypeError) as error:
        raise ManifestError(f"{where}, line {number} is not an entry: {error}") from error
    if entry.status not in STATUSES:
        raise ManifestError(
            f"{where}, line {number}: {entry.status!r} is not a known status (`ok`, `no_audio` ...). The "
            "file was altered, or written by a later version; prepare the data again."
        )
    return entry


def _header_line(header: Header, n_lines: int, lines_sha256: str) -> bytes:
    stated = {"schema": SCHEMA, "n_lines": n_lines, "lines_sha256": lines_sha256}
    return canonical_json({**dataclasses.asdict(header), **stated}).encode() + b"\n"


def _refuse_duplicates(path: Path, entries: Sequence[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.status == "ok" and entry.clip_id in seen:
            raise ManifestError(f"{path} names clip {entry.clip_id!r} twice as ok; a manifest has one line a clip.")
        seen.add(entry.clip_id)
