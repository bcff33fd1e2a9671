"""Index a manifest for a loader: which clips, in which shard.

The index is small, also for millions of clips.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foleybench.clips import IntArray
from foleybench.errors import ManifestError
from foleybench.shards.manifest import Entry, Header, header_of, parse_entry
from foleybench.shards.manifest_lines import ManifestLines
from foleybench.shards.members import expected_members, not_as_recorded
from foleybench.shards.store import Store, split_location

IdArray = npt.NDArray[np.bytes_]
# Bytes kept of each SHA-256: enough to distinguish members (one in 2^128 by chance), at half of the memory.
_KEPT_BYTES = 16
_NOT_RECORDED = bytes(_KEPT_BYTES)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShardIndex:
    """The usable clips of a manifest, by shard.

    Attributes:
        store: Folder of the shards.
        location: Path or URL of the manifest.
        header: First line of the manifest.
        sha256: Hash that names the test set.
        shards: File names of the shards, in manifest order.
        starts: Where each shard's clips start in ``ids``, and the total: shape (n_shards + 1,).
        ids: Clip ids in the order in which they lie in the shards, shape (n_clips,).
        fields: Members of every clip, sorted.
        hashes: Start of each member's SHA-256, zeros where none is recorded: shape (n_clips, n_fields, 16) uint8.
    """

    store: Store
    location: str
    header: Header
    sha256: str
    shards: tuple[str, ...]
    starts: IntArray
    ids: IdArray
    fields: tuple[str, ...]
    hashes: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        """Return the number of usable clips."""
        return len(self.ids)

    def clip_id(self, position: int) -> str:
        """Return the id at a position of ``ids``."""
        return bytes(self.ids[position]).decode()

    def shard_of(self, position: int) -> int:
        """Return which shard the clip at a position of ``ids`` lies in."""
        return int(np.searchsorted(self.starts, position, side="right")) - 1

    def shard_ids(self, shard: int) -> list[str]:
        """Return the ids of a shard's clips, in order."""
        found: list[bytes] = self.ids[self.starts[shard] : self.starts[shard + 1]].tolist()
        return [clip_id.decode() for clip_id in found]

    def require(self, position: int, members: Mapping[str, bytes]) -> None:
        """Refuse members of the clip at a position of ``ids`` that differ from the recorded ones.

        Raises:
            ManifestError: Names the shard and the member.
        """
        for number, field in enumerate(self.fields):
            recorded = self.hashes[position, number].tobytes()
            if field not in members or recorded == _NOT_RECORDED:
                continue
            if hashlib.sha256(members[field]).digest()[:_KEPT_BYTES] != recorded:
                shard = self.store.locate(self.shards[self.shard_of(position)])
                raise ManifestError(not_as_recorded(shard, f"{self.clip_id(position)}.{field}"))


def read_index(manifest: Path | str) -> ShardIndex:
    """Read a manifest line by line, keeping ids, shards and hashes only.

    Raises:
        ManifestError: The file is missing or no manifest, was cut or altered, a line is broken, a shard's clips do
            not lie together, or clips have other members than the first.
    """
    store, name = split_location(manifest)
    shards: dict[str, int] = {}
    counts: list[int] = []
    ids: list[bytes] = []
    fields: tuple[str, ...] = ()
    hashes = bytearray()
    with store.open(name) as handle:
        lines = ManifestLines(str(manifest), handle)
        for number, line in lines:
            entry = parse_entry(str(manifest), number, line)
            if entry.status != "ok":
                continue
            shard = _shard(str(manifest), number, entry)
            if shards.setdefault(shard, len(shards)) != len(shards) - 1:
                raise ManifestError(f"{manifest}, line {number}: the clips of {shard} do not lie together.")
            if len(counts) < len(shards):
                counts.append(0)
            counts[-1] += 1
            ids.append(entry.clip_id.encode())
            expected = expected_members(entry)
            fields = fields or tuple(sorted(expected))
            hashes += _hashes(str(manifest), number, expected, fields)
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)
    return ShardIndex(
        store=store,
        location=str(manifest),
        header=header_of(lines),
        sha256=lines.sha256,
        shards=tuple(shards),
        starts=starts,
        ids=np.array(ids, dtype=np.bytes_),
        fields=fields,
        hashes=np.frombuffer(bytes(hashes), dtype=np.uint8).reshape(len(ids), len(fields), _KEPT_BYTES),
    )


def _shard(manifest: str, number: int, entry: Entry) -> str:
    if not entry.shard or Path(entry.shard).name != entry.shard:
        raise ManifestError(f"{manifest}, line {number}: {entry.shard!r} is not the name of a shard beside it.")
    return entry.shard


def _hashes(manifest: str, number: int, expected: Mapping[str, str | None], fields: tuple[str, ...]) -> bytes:
    """Return the start of each member's hash, in the order of ``fields``."""
    if tuple(sorted(expected)) != fields:
        raise ManifestError(
            f"{manifest}, line {number}: the clip has members {', '.join(sorted(expected))}, those before it "
            f"{', '.join(fields)}. Prepare the data again."
        )
    try:
        digests = [bytes.fromhex(expected[field] or "") for field in fields]
    except ValueError as error:
        raise ManifestError(f"{manifest}, line {number}: the hash of a member is none: {error}.") from error
    return b"".join(digest[:_KEPT_BYTES] or _NOT_RECORDED for digest in digests)
