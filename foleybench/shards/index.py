"""What a loader needs to know of a manifest: which clips lie in which shard. Small, also for millions of clips."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from foleybench.clips import IntArray
from foleybench.errors import ManifestError
from foleybench.shards.manifest import SCHEMA
from foleybench.shards.store import Store, split_location

IdArray = npt.NDArray[np.bytes_]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShardIndex:
    """The usable clips of a manifest, by shard.

    Attributes:
        store: Where the shards lie.
        location: Path or URL of the manifest.
        header: First line of the manifest.
        sha256: Of the manifest.
        shards: File names of the shards, in manifest order.
        starts: Where each shard's clips start in ``ids``, and the total: shape (n_shards + 1,).
        ids: Clip ids in the order in which they lie in the shards, shape (n_clips,).
    """

    store: Store
    location: str
    header: dict[str, Any]
    sha256: str
    shards: tuple[str, ...]
    starts: IntArray
    ids: IdArray

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


def read_index(manifest: Path | str) -> ShardIndex:
    """Read a manifest line by line, keeping ids and shards only.

    Raises:
        ManifestError: The file is missing or no manifest, a line is broken, or a shard's clips do not lie together.
    """
    store, name = split_location(manifest)
    digest = hashlib.sha256()
    shards: dict[str, int] = {}
    counts: list[int] = []
    ids: list[bytes] = []
    with store.open(name) as handle:
        header = _header(str(manifest), handle, digest)
        for number, line in enumerate(handle, start=2):
            digest.update(line)
            clip_id, shard = _clip(str(manifest), number, line)
            if shard is None:
                continue
            if shards.setdefault(shard, len(shards)) != len(shards) - 1:
                raise ManifestError(f"{manifest}, line {number}: the clips of {shard} do not lie together.")
            if len(counts) < len(shards):
                counts.append(0)
            counts[-1] += 1
            ids.append(clip_id.encode())
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)
    return ShardIndex(
        store=store,
        location=str(manifest),
        header=header,
        sha256=digest.hexdigest(),
        shards=tuple(shards),
        starts=starts,
        ids=np.array(ids, dtype=np.bytes_),
    )


def _header(manifest: str, handle: IO[bytes], digest: Any) -> dict[str, Any]:
    line = handle.readline()
    digest.update(line)
    try:
        header = json.loads(line)
        schema = header["schema"]
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError(f"{manifest} is no manifest: its first line is no header ({error!r}).") from error
    if schema != SCHEMA:
        raise ManifestError(f"{manifest} has schema {schema}, this version reads {SCHEMA}. Prepare the data again.")
    return dict(header)


def _clip(manifest: str, number: int, line: bytes) -> tuple[str, str | None]:
    """Return a line's clip id and shard; the shard is None when the clip cannot be used."""
    try:
        entry = json.loads(line)
        clip_id, status, shard = entry["clip_id"], entry["status"], entry["shard"]
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError(f"{manifest}, line {number} is not an entry: {error!r}.") from error
    if status != "ok":
        return clip_id, None
    if not isinstance(shard, str) or Path(shard).name != shard:
        raise ManifestError(f"{manifest}, line {number}: {shard!r} is not the name of a shard beside it.")
    return str(clip_id), shard
