"""Yield clips from shards in the order of an epoch.

All readers together yield every clip exactly once, and can resume at any clip. From a folder, a clip is one read at its
place in its shard, and nothing is held in memory. From a URL, shards are read forward, and clips that are yielded later
than they are read are held in memory, at most about ``window`` of them.

Feature shards (``foleybench prepare features``) are joined by clip id: their members come with the clip's, under
``<encoder>.npz``; clips that lack a feature are left out.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foleybench.clips import IntArray
from foleybench.errors import ManifestError
from foleybench.shards.index import ShardIndex, read_index
from foleybench.shards.sampling_order import Run
from foleybench.shards.store import Folder
from foleybench.shards.tar_reader import Cursor, Member, scan

KEY = "__key__"
# Open files and member tables kept per reader; a window of clips spans few shards.
_SHARDS_KEPT = 16

RawSample = dict[str, Any]


class ShardStream:
    """The clips of a manifest, joined with features.

    Attributes:
        index: The clips.
        kept: Positions of the clips that are wanted and have every feature, increasing, shape (n,).

    Example:
        >>> len(ShardStream(manifest).kept)
        6
    """

    def __init__(
        self,
        manifest: Path | str,
        *,
        features: Sequence[Path | str] = (),
        fields: Collection[str] | None = None,
        ids: Collection[str] | None = None,
    ) -> None:
        """Read the manifests.

        Args:
            manifest: Path or URL of the clips' manifest.
            features: Paths or URLs of manifests of feature shards.
            fields: Members to read (``mp4``, ``flac``, ``json``, ``<encoder>.npz``); None for all.
            ids: Clips that are wanted; None for all.

        Raises:
            ManifestError: A manifest is missing or broken, or a wanted id is missing.
        """
        self.index = read_index(manifest)
        self._features = [read_index(one) for one in features]
        self._fields = frozenset(fields) if fields is not None else None
        self.kept = self._wanted(ids)

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.kept)

    def read(self, run: Run, *, verify: bool = True) -> Iterator[RawSample]:
        """Yield the clips of a run: ``__key__`` and the members' bytes by field.

        Args:
            run: The clips in their order.
            verify: Whether to check the members against the manifest; if not, the caller may use ``index.require``.

        Raises:
            ManifestError: A shard is missing, cut or damaged, or (with ``verify``) a member is not the one recorded.
        """
        sources = [_source(index, self._fields, verify) for index in (self.index, *self._features)]
        readers = [source.read(self.index, run) for source in sources]
        for position in run.yielding.tolist():
            sample: RawSample = {KEY: self.index.clip_id(position)}
            for reader in readers:
                sample.update(next(reader))
            yield sample

    def _wanted(self, ids: Collection[str] | None) -> IntArray:
        mask = np.ones(len(self.index), dtype=bool)
        if ids is not None:
            wanted = np.array(sorted(one.encode() for one in ids), dtype=np.bytes_)
            missing = np.setdiff1d(wanted, self.index.ids)
            if len(missing):
                raise ManifestError(
                    f"{self.index.location} has no usable clip {bytes(missing[0]).decode()!r} "
                    f"({len(missing)} of the {len(wanted)} ids asked for are missing)."
                )
            mask &= np.isin(self.index.ids, wanted)
        for features in self._features:
            mask &= np.isin(self.index.ids, features.ids)
        return np.flatnonzero(mask).astype(np.int64)


def _source(index: ShardIndex, fields: frozenset[str] | None, verify: bool) -> _FolderSource | _UrlSource:
    kind = _FolderSource if isinstance(index.store, Folder) else _UrlSource
    return kind(index, fields, verify)


class _Lookup:
    """The positions of one manifest's clips in another."""

    def __init__(self, index: ShardIndex) -> None:
        self.index = index
        self._sorter = np.argsort(index.ids, kind="stable")

    def positions(self, clips: ShardIndex, wanted: IntArray) -> IntArray:
        """Return positions in ``index`` of the clips at positions of ``clips``."""
        if clips is self.index:
            return wanted
        found = np.searchsorted(self.index.ids, clips.ids[wanted], sorter=self._sorter)
        return np.asarray(self._sorter[found], dtype=np.int64)


class _FolderSource:
    """Reads each clip at its place in a local shard."""

    def __init__(self, index: ShardIndex, fields: frozenset[str] | None, verify: bool) -> None:
        self._lookup = _Lookup(index)
        self._index = index
        self._fields = fields
        self._verify = verify
        self._table = functools.lru_cache(maxsize=_SHARDS_KEPT)(self._scan)

    def read(self, clips: ShardIndex, run: Run) -> Iterator[RawSample]:
        """Yield the members of each clip of a run, in yielding order."""
        for position in self._lookup.positions(clips, run.yielding).tolist():
            shard = self._index.shard_of(position)
            path, members = self._table(shard)
            sample = _read_clip(path, members[position - int(self._index.starts[shard])], self._fields)
            if self._verify:
                self._index.require(position, sample)
            yield sample

    def _scan(self, shard: int) -> tuple[str, list[list[Member]]]:
        name = self._index.shards[shard]
        where = self._index.store.locate(name)
        with self._index.store.open(name) as handle:
            members = list(scan(where, handle))
        _check(where, [clip[0].key for clip in members], self._index.shard_ids(shard))
        return where, members


def _read_clip(path: str, members: Sequence[Member], fields: frozenset[str] | None) -> RawSample:
    """Read the members of a clip, which lie side by side, in one go."""
    wanted = [member for member in members if fields is None or member.field in fields]
    if not wanted:
        return {}
    first, last = wanted[0].offset, wanted[-1].offset + wanted[-1].size
    with open(path, "rb", buffering=0) as handle:
        handle.seek(first)
        data = memoryview(handle.read(last - first))
    if len(data) != last - first:
        raise ManifestError(f"{path} was cut inside {members[0].key}.")
    return {m.field: bytes(data[m.offset - first : m.offset - first + m.size]) for m in wanted}


def _check(where: str, found: Sequence[str], listed: Sequence[str]) -> None:
    """Refuse a shard that does not hold exactly the clips that its manifest lists."""
    if found == listed:
        return
    lacking = [clip_id for clip_id in listed if clip_id not in set(found)]
    what = f"{lacking[0]} is missing" if lacking else "it holds other clips, or in another order"
    raise ManifestError(
        f"{where} holds {len(found)} clips, its manifest lists {len(listed)}: {what}. "
        "`foleybench shards verify` says more; prepare the data again."
    )


class _UrlSource:
    """Reads shards forward and holds clips that are yielded later."""

    def __init__(self, index: ShardIndex, fields: frozenset[str] | None, verify: bool) -> None:
        self._lookup = _Lookup(index)
        self._index = index
        self._fields = fields
        self._verify = verify

    def read(self, clips: ShardIndex, run: Run) -> Iterator[RawSample]:
        """Yield the members of each clip of a run, in yielding order."""
        forward = self._forward(self._lookup.positions(clips, run.reading))
        held: dict[int, RawSample] = {}
        for position in self._lookup.positions(clips, run.yielding).tolist():
            while position not in held:
                found, sample = next(forward)
                held[found] = sample
            yield held.pop(position)

    def _forward(self, positions: IntArray) -> Iterator[tuple[int, RawSample]]:
        """Yield clips in the order of the shards, each opened once."""
        shards = np.searchsorted(self._index.starts, positions, side="right") - 1
        for part in np.split(positions, np.flatnonzero(np.diff(shards)) + 1):
            if len(part):
                yield from self._shard(self._index.shard_of(int(part[0])), np.sort(part))

    def _shard(self, shard: int, positions: IntArray) -> Iterator[tuple[int, RawSample]]:
        name, listed = self._index.shards[shard], self._index.shard_ids(shard)
        wanted = {listed[position - int(self._index.starts[shard])]: position for position in positions.tolist()}
        with self._index.store.open(name) as handle:
            for key, sample in _samples(Cursor(self._index.store.locate(name), handle), wanted, self._fields):
                position = wanted.pop(key)
                if self._verify:
                    self._index.require(position, sample)
                yield position, sample
                if not wanted:
                    return
        raise ManifestError(f"{self._index.store.locate(name)} lacks {next(iter(wanted))}. Prepare the data again.")


def _samples(cursor: Cursor, wanted: Collection[str], fields: frozenset[str] | None) -> Iterator[tuple[str, RawSample]]:
    """Yield the wanted clips of a tar; a clip is whole when the next one starts or the tar ends."""
    key, sample = "", RawSample()
    while member := cursor.next():
        if member.key != key:
            if key in wanted:
                yield key, sample
            key, sample = member.key, {}
        if key in wanted and (fields is None or member.field in fields):
            sample[member.field] = cursor.content(member)
        else:
            cursor.skip(member)
    if key in wanted:
        yield key, sample
