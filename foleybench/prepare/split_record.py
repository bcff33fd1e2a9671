"""Record a finished split: its manifest and fingerprint."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from foleybench.api.dataset import Item
from foleybench.errors import ManifestError
from foleybench.files import write_atomically
from foleybench.prepare.duplicate_flags import flag_duplicates
from foleybench.prepare.pack import Again, Part, ShardGroup, part_bytes, read_part
from foleybench.prepare.staging import Staging, dumps, read_own_json
from foleybench.shards.dataset import shard_names
from foleybench.shards.manifest import Header, join_manifest, joined_path, manifest_path

RECORDS = ".prepared"
# Held by the run that works on the folder.
LOCK = f"{RECORDS}/lock"


def record_path(out: Path, split: str) -> Path:
    """Return where the record of a finished split lies: its fingerprint, the hashes of its files."""
    return out / RECORDS / f"{split}.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finished:
    """A split whose manifest this command wrote.

    Attributes:
        fingerprint: The values that decided the bytes.
        shards: Size, number of clips and SHA-256 of every shard, by file name.
        lost: Shards that are missing or have another size.
    """

    fingerprint: dict[str, Any]
    shards: dict[str, dict[str, Any]]
    lost: frozenset[str]


def find_finished(out: Path, split: str, sizes: Mapping[str, int] | None = None) -> Finished | None:
    """Return the finished split in ``out``, or None when there is none or its manifest is not the one recorded.

    Args:
        out: Folder of manifest and record.
        split: Name of the split.
        sizes: Size of each shard by name where they do not lie in ``out``.
    """
    record, manifest = record_path(out, split), manifest_path(out, split)
    if not record.is_file() or not manifest.is_file():
        return None
    stored = read_own_json(record)
    with manifest.open("rb") as handle:
        if stored.get("manifest_sha256") != hashlib.file_digest(handle, "sha256").hexdigest():
            return None
    there = {path.name: path.stat().st_size for path in out.glob("*.tar")} if sizes is None else sizes
    lost = frozenset(name for name, shard in stored["shards"].items() if there.get(name) != shard["n_bytes"])
    return Finished(fingerprint=stored["fingerprint"], shards=stored["shards"], lost=lost)


def any_left(manifest: Path, items: Sequence[Item], again: Again) -> bool:
    """Whether a clip of a finished split is to be tried again."""
    with manifest.open("rb") as handle:
        handle.readline()
        # (Not strict: a manifest with too few lines is named when it is taken apart.)
        pairs = zip(items, handle, strict=False)
        return any(again(item, json.loads(line)["status"]) for item, line in pairs if not item.refused)


def forget_split(out: Path, split: str) -> None:
    """Take a finished split back: the manifest first, so that nobody reads shards that are about to change."""
    manifest_path(out, split).unlink(missing_ok=True)
    record_path(out, split).unlink(missing_ok=True)


def finish(out: Path, staging: Staging, groups: Sequence[ShardGroup], header: Header) -> list[str]:
    """Write the record of a split whose groups are all packed, and last its manifest; then tidy.

    Returns:
        The names of the split's shards.
    """
    split = header.split
    path = manifest_path(out, split)
    shards: dict[str, dict[str, Any]] = {}

    def parts() -> Iterator[bytes]:
        for group in groups:
            found = read_part(staging.part_path(group.index))
            if found.shard:
                shards[found.shard] = found.described
            yield found.lines

    sha256 = join_manifest(path, header, flag_duplicates(parts))
    record = {"fingerprint": staging.fingerprint, "manifest_sha256": sha256, "shards": shards}
    write_atomically(record_path(out, split), dumps(record).encode())
    joined_path(path).replace(path)
    for stale in set(shard_names(out, split)) - set(shards):
        (out / stale).unlink()
    staging.remove()
    return list(shards)


def take_apart(out: Path, staging: Staging, groups: Sequence[ShardGroup], finished: Finished) -> None:
    """Turn a finished split back into packed groups; the manifest goes last, so that a kill loses nothing.

    Raises:
        ManifestError: The manifest has another number of lines than was asked for.
    """
    staging.open()
    path = manifest_path(out, staging.fingerprint["split"])
    with path.open("rb") as handle:
        handle.readline()
        for group in groups:
            lines = [handle.readline() for _ in group.items]
            if not all(lines):
                raise ManifestError(f"{path} has fewer lines than clips asked for. Run again with --force.")
            write_atomically(staging.part_path(group.index), part_bytes(_part(lines, finished)))
    forget_split(out, staging.fingerprint["split"])


def _part(lines: Sequence[bytes], finished: Finished) -> Part:
    shard = next((name for line in lines if (name := json.loads(line)["shard"])), None)
    described = finished.shards[shard] if shard else {"n_bytes": 0, "n_clips": 0, "sha256": ""}
    return Part(shard=shard, lines=b"".join(lines), **described)
