"""Check shards against their manifest.

Every member of every shard is read, and every difference is named. Other readers accept a tar that was cut at the end
of a member and find fewer clips; here the missing end mark and the manifest's list of clips reveal the cut.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, NamedTuple

from foleybench.errors import FoleyError, ManifestError
from foleybench.prepare.split_record import RECORDS
from foleybench.shards.dataset import checked_shard
from foleybench.shards.index import read_index
from foleybench.shards.manifest import SUFFIX, Entry, parse_entry
from foleybench.shards.manifest_lines import ManifestLines
from foleybench.shards.members import expected_members, wrong_members
from foleybench.shards.store import Store, open_store, split_location
from foleybench.shards.tar_reader import Cursor, Member

_BLOCK = 8 << 20


class ShardProblem(NamedTuple):
    """A difference between a shard and its manifest.

    Attributes:
        shard: The file concerned: a shard, or the manifest.
        what: A sentence about the difference.
    """

    shard: str
    what: str


class Checked(NamedTuple):
    """A shard that was checked.

    Attributes:
        shard: Its file name.
        n_clips: Clips that the manifest lists in it.
        n_bytes: Bytes read.
    """

    shard: str
    n_clips: int
    n_bytes: int


class _Listed(NamedTuple):
    """A shard as the manifest lists it, with what the record says of the file, if there is a record."""

    name: str
    entries: list[Entry]
    recorded: dict[str, Any] | None


def manifests_in(place: Path | str) -> list[str]:
    """Return the manifests that a path or URL names: itself, or all of a folder.

    Raises:
        ManifestError: The place holds no manifest.
    """
    if str(place).endswith(SUFFIX):
        return [str(place)]
    store = open_store(place)
    if isinstance(place, Path) and not place.is_dir():
        raise ManifestError(f"{place} is neither a manifest nor a folder.")
    found = sorted(name for name in store.sizes() if name.endswith(SUFFIX) and not name.startswith("."))
    if not found:
        raise ManifestError(f"{place} holds no manifest (*{SUFFIX}). Name a manifest or a folder that has some.")
    return [store.locate(name) for name in found]


def verify(manifest: Path | str, *, fast: bool = False, jobs: int = 1) -> Iterator[ShardProblem | Checked]:
    """Check every shard of a manifest; yield problems as they are found, and each shard once it is checked.

    Args:
        manifest: Path or URL.
        fast: Only each shard's size and SHA-256 against the record of the run that made it, instead of every member.
        jobs: Shards checked at the same time.

    Raises:
        ManifestError: The manifest itself cannot be read, or ``fast`` and there is no record.
    """
    store, name = split_location(manifest)
    record = _record(store, name)
    if fast and record is None:
        raise ManifestError(f"{manifest} has no record in {RECORDS}/ beside it; verify without --fast.")
    yield from _record_problems(store, name, record)
    read_index(manifest)  # Refuses what is no manifest, and shards whose clips do not lie together.
    check = functools.partial(_check_whole if fast else _check_members, store)
    shards = list(_listed(store, name, record))
    with ThreadPoolExecutor(jobs, thread_name_prefix="verify") as threads:
        for shard, (problems, n_bytes) in zip(shards, threads.map(check, shards), strict=True):
            yield from problems
            yield Checked(shard.name, len(shard.entries), n_bytes)
    for stray in _strays(store, name, {shard.name for shard in shards}):
        yield ShardProblem(stray, "is no shard of this manifest.")


def _record(store: Store, manifest: str) -> dict[str, Any] | None:
    """Return the record that ``foleybench prepare`` left of the split, if it is there."""
    path = f"{RECORDS}/{manifest.removesuffix(SUFFIX)}.json"
    if store.size(path) is None:
        return None
    try:
        record: dict[str, Any] = json.loads(store.read(path))
        _ = record["manifest_sha256"], record["shards"].items()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ManifestError(f"{store.locate(path)} is damaged: {error!r}.") from error
    return record


def _record_problems(store: Store, manifest: str, record: dict[str, Any] | None) -> list[ShardProblem]:
    if record is None:
        return []
    with store.open(manifest) as handle:
        digest, _ = _hash(handle)
    if digest == record["manifest_sha256"]:
        return []
    return [ShardProblem(manifest, "is not the manifest that was recorded when it was made: its SHA-256 differs.")]


def _listed(store: Store, manifest: str, record: dict[str, Any] | None) -> Iterator[_Listed]:
    """Yield the shards of a manifest with their entries, in order."""
    shards: dict[str, list[Entry]] = {}
    where = store.locate(manifest)
    with store.open(manifest) as handle:
        for number, line in ManifestLines(where, handle):
            entry = parse_entry(where, number, line)
            if entry.status == "ok":
                shards.setdefault(checked_shard(where, entry), []).append(entry)
    for name, entries in shards.items():
        yield _Listed(name, entries, record["shards"].get(name) if record else None)


def _strays(store: Store, manifest: str, known: set[str]) -> list[str]:
    """Return shard files of this split that the manifest does not list; none where a store cannot be listed."""
    try:
        there = store.sizes()
    except (OSError, NotImplementedError):
        return []
    stem = manifest.removesuffix(SUFFIX)
    return sorted(
        name
        for name in there
        if name.startswith(f"{stem}-") and len(name) == len(stem) + 11 and name.endswith(".tar") and name not in known
    )


def _hash(handle: IO[bytes]) -> tuple[str, int]:
    digest, n_bytes = hashlib.sha256(), 0
    while block := handle.read(_BLOCK):
        digest.update(block)
        n_bytes += len(block)
    return digest.hexdigest(), n_bytes


def _check_whole(store: Store, shard: _Listed) -> tuple[list[ShardProblem], int]:
    """Compare a shard's size and hash with the record."""
    if shard.recorded is None:
        return [ShardProblem(shard.name, "is not in the record.")], 0
    size = store.size(shard.name)
    if size is None:
        return [ShardProblem(shard.name, "is missing.")], 0
    if size != shard.recorded["n_bytes"]:
        return [ShardProblem(shard.name, f"has {size} bytes, {shard.recorded['n_bytes']} were recorded.")], 0
    with store.open(shard.name) as handle:
        digest, n_bytes = _hash(handle)
    if digest != shard.recorded["sha256"]:
        return [ShardProblem(shard.name, "is not what was recorded: its SHA-256 differs.")], n_bytes
    return [], n_bytes


class _Counted:
    """A file read forward only, with a hash and a count of its bytes."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle
        self.digest = hashlib.sha256()
        self.n_bytes = 0

    def read(self, n: int = -1) -> bytes:
        """Read and hash."""
        data = self._handle.read(n)
        self.digest.update(data)
        self.n_bytes += len(data)
        return data

    def seekable(self) -> bool:
        """Whether parts of the file can be skipped unread: no."""
        return False


def _check_members(store: Store, shard: _Listed) -> tuple[list[ShardProblem], int]:
    """Compare every member of a shard with the manifest, in one pass over its bytes."""
    if store.size(shard.name) is None:
        return [ShardProblem(shard.name, "is missing.")], 0
    problems: list[ShardProblem] = []
    entries = {entry.clip_id: entry for entry in shard.entries}
    found: dict[str, set[str]] = {}
    with store.open(shard.name) as handle:
        counted = _Counted(handle)
        try:
            for member, data in _members(Cursor(shard.name, counted)):  # type: ignore[arg-type]
                problems += _check_member(shard.name, member, data, entries.get(member.key), found)
            counted.read()
        except FoleyError as error:
            problems.append(ShardProblem(shard.name, str(error).removeprefix(f"{shard.name} ")))
    problems += _check_complete(shard, found)
    whole = shard.recorded is None or counted.digest.hexdigest() == shard.recorded["sha256"]
    if not whole and not problems:
        # Every member is right: the difference lies between them (names' metadata, padding, end mark).
        problems.append(ShardProblem(shard.name, "has the right members, but its SHA-256 is not the recorded one."))
    return problems, counted.n_bytes


def _members(cursor: Cursor) -> Iterator[tuple[Member, bytes]]:
    while member := cursor.next():
        yield member, cursor.content(member)


def _check_member(
    shard: str, member: Member, data: bytes, entry: Entry | None, found: dict[str, set[str]]
) -> Iterator[ShardProblem]:
    name = f"{member.key}.{member.field}"
    if entry is None:
        yield ShardProblem(shard, f"holds {name} of a clip that the manifest lists in no or another shard.")
        return
    fields = found.setdefault(member.key, set())
    if member.field in fields:
        yield ShardProblem(shard, f"holds {name} twice.")
    fields.add(member.field)
    if member.field not in expected_members(entry):
        yield ShardProblem(shard, f"holds {name}, which the manifest does not know.")
        return
    for wrong in wrong_members(shard, entry, {member.field: data}):
        yield ShardProblem(shard, wrong.removeprefix(f"{shard}: "))


def _check_complete(shard: _Listed, found: dict[str, set[str]]) -> list[ShardProblem]:
    absent = [entry.clip_id for entry in shard.entries if entry.clip_id not in found]
    problems = [ShardProblem(shard.name, _lacks(absent))] if absent else []
    for entry in shard.entries:
        lacking = sorted(set(expected_members(entry)) - found.get(entry.clip_id, set()))
        if lacking and entry.clip_id in found:
            problems.append(ShardProblem(shard.name, f"{entry.clip_id} lacks {', '.join(lacking)}."))
    order = [entry.clip_id for entry in shard.entries if entry.clip_id in found]
    if order != list(found):
        problems.append(ShardProblem(shard.name, "holds its clips in another order than the manifest."))
    return problems


def _lacks(absent: Sequence[str]) -> str:
    shown = ", ".join(absent[:5])
    more = f" and {len(absent) - 5} more" if len(absent) > 5 else ""
    return f"lacks {len(absent)} clips that the manifest lists: {shown}{more}."
