"""Write and read shards: ``<split>-000000.tar`` with ``<clip_id>.{mp4,flac,json}``.

Shards are byte-identical when made again. Plain ``webdataset`` reads them; ``ShardDataset`` adds random access by clip
id and checks against the manifest.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import io
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from foleybench.clips import AudioArray, Channels, Clip, Event
from foleybench.errors import ManifestError, MediaError
from foleybench.files import named_in_errors
from foleybench.media.audio import read_channels, read_sound_file
from foleybench.media.h264 import decode_mp4
from foleybench.shards.manifest import Entry, Manifest, read_manifest
from foleybench.shards.members import check_meta, wrong_members

FIELDS = ("flac", "json", "mp4")


def shard_name(split: str, index: int) -> str:
    """Return the file name of a shard."""
    return f"{split}-{index:06d}.tar"


def shard_names(folder: Path, split: str) -> list[str]:
    """Return the file names of the shards of a split that lie in a folder, sorted."""
    pattern = re.compile(re.escape(split) + r"-[0-9]{6}\.tar")
    return sorted(path.name for path in folder.iterdir() if pattern.fullmatch(path.name))


class _Hashed:
    """A file that is hashed while it is written."""

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write and hash."""
        self.digest.update(data)
        return self._handle.write(data)

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self._handle.tell()


def write_shard(path: Path, samples: Sequence[tuple[str, dict[str, Callable[[], bytes]]]]) -> str:
    """Write one tar: fixed order, owner and time, so the same samples give the same bytes; atomically.

    Args:
        path: Path of the shard.
        samples: (clip id, field -> function that reads the bytes) in order; read one at a time.

    Returns:
        The SHA-256 of the tar.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    with named_in_errors(path), temporary.open("wb") as handle:
        hashed = _Hashed(handle)
        with tarfile.open(fileobj=cast(IO[bytes], hashed), mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for clip_id, fields in samples:
                for field in sorted(fields):
                    data = fields[field]()
                    member = tarfile.TarInfo(f"{clip_id}.{field}")
                    member.size, member.mtime, member.mode = len(data), 0, 0o644
                    tar.addfile(member, io.BytesIO(data))
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)
    return hashed.digest.hexdigest()


def fields_of(entry: Entry) -> list[str]:
    """Return the names of a clip's members: without an MP4 for audio alone."""
    return [field for field in FIELDS if field != "mp4" or entry.video_sha256 is not None]


def read_members(shard: Path, entry: Entry, fields: Sequence[str] = FIELDS, *, verify: bool = True) -> dict[str, bytes]:
    """Return a clip's files as they are in its shard.

    Raises:
        ManifestError: A member is missing, cut, or (with ``verify``) not what the manifest recorded.
    """
    members = {field: _read(shard, entry, field) for field in fields}
    if verify and (wrong := next(wrong_members(str(shard), entry, members), None)):
        raise ManifestError(wrong)
    return members


class ShardDataset:
    """The clips of one split, by id or in order, checked against the manifest.

    Args:
        path: The manifest's file.
        read: What that file holds, where it has been read already.

    Attributes:
        manifest: The manifest's content.

    Raises:
        ManifestError: The manifest does not follow its schema.

    Example:
        >>> data = ShardDataset(manifest)
        >>> len(data), data.clip_ids[:2]
        (6, ['clip00_000000', 'clip01_000000'])
        >>> data.load("clip01_000000", video=False).audio.shape
        (32000,)
    """

    def __init__(self, path: Path, read: Manifest | None = None) -> None:
        self._path = path
        self.manifest = read or read_manifest(path)
        self._entries = {entry.clip_id: entry for entry in self.manifest.ok()}

    @property
    def path(self) -> Path:
        """The manifest's file."""
        return self._path

    @property
    def name(self) -> str:
        """Name of the data set."""
        return self.manifest.header.dataset

    @property
    def clip_ids(self) -> list[str]:
        """Ids of the usable clips, in manifest order."""
        return list(self._entries)

    def __len__(self) -> int:
        """Return the number of usable clips."""
        return len(self._entries)

    def require_clips(self) -> None:
        """Refuse a split without a usable clip.

        Raises:
            ManifestError: Says what became of the clips that were asked for.
        """
        if self._entries:
            return
        counts = ", ".join(f"{n} {status}" for status, n in self.manifest.counts().items()) or "none asked for"
        raise ManifestError(
            f"{self.path} has no usable clip ({counts}). `foleybench show {self.path}` gives the reasons; prepare it "
            "again where the clips are."
        )

    def entries(self) -> list[Entry]:
        """Return the manifest lines of the usable clips, in order."""
        return list(self._entries.values())

    def entry(self, clip_id: str) -> Entry:
        """Return the manifest line of a usable clip."""
        if clip_id not in self._entries:
            raise ManifestError(f"{self.path} has no usable clip {clip_id!r}.")
        return self._entries[clip_id]

    def load(
        self, clip_id: str, *, video: bool = True, audio: bool = True, verify: bool = True, channels: Channels = "mean"
    ) -> Clip:
        """Read one clip.

        Args:
            clip_id: The clip.
            video: Whether to decode the video (timestamps are empty without it).
            audio: Whether to decode the audio.
            channels: How two-channel audio becomes one channel.
            verify: Whether to check the members' hashes against the manifest.

        Raises:
            ManifestError: Unknown id, or a member that is missing, not the recorded one, or cannot be decoded.
        """
        entry = self.entry(clip_id)
        shard = self._shard(entry)
        fields = [field for field in fields_of(entry) if _wanted(field, video, audio)]
        members = read_members(shard, entry, fields, verify=verify)
        try:
            return _decode(entry, self.manifest.header.split, members, channels)
        except MediaError as error:
            raise ManifestError(f"{shard}: {clip_id} cannot be decoded: {error.reason}") from error

    def sides(self, clip_id: str) -> AudioArray | None:
        """Return both channels of a clip's audio, (2, N) at its rate; None of audio that has not two.

        Raises:
            ManifestError: As ``load``.
        """
        entry = self.entry(clip_id)
        shard = self._shard(entry)
        try:
            channels = read_channels(read_members(shard, entry, ["flac"])["flac"])
        except MediaError as error:
            raise ManifestError(f"{shard}: {clip_id} cannot be decoded: {error.reason}") from error
        return two(channels)

    def members(self, clip_id: str) -> dict[str, bytes]:
        """Return a clip's files as they are in the shard, checked against the manifest's hashes."""
        entry = self.entry(clip_id)
        return read_members(self._shard(entry), entry, fields_of(entry))

    def clips(self, *, video: bool = True, audio: bool = True) -> Iterator[Clip]:
        """Yield every usable clip in manifest order."""
        for clip_id in self._entries:
            yield self.load(clip_id, video=video, audio=audio)

    def verify(self) -> list[str]:
        """Return the faults of the shards: an empty list when every member is the recorded one."""
        problems: dict[str, None] = {}
        for entry in self._entries.values():
            try:
                members = read_members(self._shard(entry), entry, fields_of(entry))
                check_meta(entry, members["json"])
            except ManifestError as error:
                problems[str(error)] = None
        return list(problems)

    def _shard(self, entry: Entry) -> Path:
        return self.path.parent / checked_shard(self.path, entry)


def two(channels: AudioArray | None) -> AudioArray | None:
    """Return channels (C, N) if they are two, left and right, else None."""
    return channels if channels is not None and len(channels) == 2 else None


def checked_shard(manifest: Path | str, entry: Entry) -> str:
    """Return the name of an entry's shard.

    Raises:
        ManifestError: The name is not a plain file name: a manifest cannot point elsewhere.
    """
    if not entry.shard or Path(entry.shard).name != entry.shard:
        raise ManifestError(f"{manifest}: {entry.shard!r} of {entry.clip_id} is not the name of a shard beside it.")
    return entry.shard


def _read(shard: Path, entry: Entry, field: str) -> bytes:
    member = _index(shard).get(f"{entry.clip_id}.{field}")
    if member is None:
        raise ManifestError(f"{shard} has no member {entry.clip_id}.{field}. Run `foleybench prepare` again.")
    offset, size = member
    with shard.open("rb") as handle:
        handle.seek(offset)
        data = handle.read(size)
    if len(data) != size:
        raise ManifestError(f"{shard} ends inside {entry.clip_id}.{field}. Run `foleybench prepare` again.")
    return data


def _index(shard: Path) -> dict[str, tuple[int, int]]:
    if not shard.is_file():
        raise ManifestError(f"shard {shard} is missing. Run `foleybench prepare` again.")
    status = shard.stat()
    return _scan(shard, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _scan(shard: Path, n_bytes: int, changed_ns: int) -> dict[str, tuple[int, int]]:
    """List the places of the members; size and time are arguments so that a shard made again is scanned again."""
    try:
        with tarfile.open(shard, "r:") as tar:
            return {member.name: (member.offset_data, member.size) for member in tar}
    except tarfile.TarError as error:
        raise ManifestError(f"{shard} is not a whole tar ({error}). Run `foleybench prepare` again.") from error


def _wanted(field: str, video: bool, audio: bool) -> bool:
    return (field != "mp4" or video) and (field != "flac" or audio)


def decode_sample(clip_id: str, members: dict[str, bytes]) -> Clip:
    """Decode a clip's files without its manifest, as a stream yields them: ``json``, and ``mp4``, ``flac`` if there.

    Raises:
        ManifestError: The JSON member lacks a field.
    """
    named = Entry(clip_id=clip_id, source="", source_id="", label="", status="ok")
    meta = check_meta(named, members["json"])
    entry = dataclasses.replace(named, source_id=str(meta.get("source_id", "")), label=str(meta.get("label", "")))
    return _decode(entry, str(meta.get("split", "")), members)


def _decode(entry: Entry, split: str, members: dict[str, bytes], channels: Channels = "mean") -> Clip:
    meta = check_meta(entry, members["json"])
    frames, times = decode_mp4(members["mp4"]) if "mp4" in members else (None, np.zeros(0))
    found = read_sound_file(members["flac"], channels) if "flac" in members else None
    return Clip(
        clip_id=entry.clip_id,
        source_id=entry.source_id,
        label=entry.label,
        split=split,
        duration_s=float(meta["duration_s"]),
        frames=frames,
        frame_times_s=times,
        audio=found.audio if found else None,
        rate_hz=found.rate_hz if found else int(meta["rate_hz"]),
        events=_events(entry, meta.get("events")),
        factors=meta.get("factors", {}),
        n_channels=found.n_channels if found else 1,
    )


def _events(entry: Entry, records: Any) -> tuple[Event, ...] | None:
    if records is None:
        return None
    try:
        return tuple(Event.from_json(record) for record in records)
    except TypeError as error:
        raise ManifestError(f"{entry.clip_id}.json garbles an event: {error}. Prepare the data again.") from error
