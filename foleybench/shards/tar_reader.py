"""Read our own shards fast, checked header by header.

``tarfile`` reads every kind of tar and is slow in streams; a shard is one kind. Whatever is not of that kind is an
error, not a guess: a tar that was cut, at a member's end or inside one, is noticed here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, NamedTuple

from foleybench.errors import ManifestError

BLOCK = 512
_REGULAR = (b"0", b"\0")
_EMPTY = bytes(BLOCK)


class Member(NamedTuple):
    """One file in a tar.

    Attributes:
        key: Its name up to the first dot: the clip id.
        field: The rest of its name: what the file is of the clip.
        offset: Where its content starts.
        size: Length of its content in bytes.
    """

    key: str
    field: str
    offset: int
    size: int


def padded_size(size: int) -> int:
    """Return the room that a member's content takes."""
    return (size + BLOCK - 1) // BLOCK * BLOCK


def parse_header(where: str, block: bytes, offset: int) -> Member | None:
    """Read the header of a member; None at the end of the archive.

    Args:
        where: The tar, for messages.
        block: 512 bytes.
        offset: Where the block starts.

    Raises:
        ManifestError: The archive ends without its end mark, or the block is no header of a regular file.
    """
    if len(block) < BLOCK:
        raise ManifestError(f"{where} was cut: it ends after {offset + len(block)} bytes without an end mark.")
    if block == _EMPTY:
        return None
    try:
        size = int(block[124:136].split(b"\0")[0] or b"0", 8)
        checksum = int(block[148:156].split(b"\0")[0], 8)
        prefix = block[345:500].split(b"\0")[0]
        name = (prefix + b"/" if prefix else b"").decode() + block[:100].split(b"\0")[0].decode()
    except ValueError as error:
        raise ManifestError(f"{where} is damaged at byte {offset}: no tar header ({error}).") from error
    if sum(block[:148]) + 256 + sum(block[156:]) != checksum:
        raise ManifestError(f"{where} is damaged at byte {offset}: the header of {name!r} has a wrong checksum.")
    if block[156:157] not in _REGULAR:
        raise ManifestError(f"{where} holds {name!r}, which is no regular file; this is not one of our shards.")
    key, _, field = name.partition(".")
    return Member(key, field, offset + BLOCK, size)


class Cursor:
    """Moves forward through a tar, reading contents or passing over them."""

    def __init__(self, where: str, handle: IO[bytes]) -> None:
        self.where = where
        self._handle = handle
        self._offset = 0

    def next(self) -> Member | None:
        """Read the next header; None at the end. The content must then be read or skipped."""
        member = parse_header(self.where, self._read(BLOCK), self._offset)
        self._offset += BLOCK
        return member

    def content(self, member: Member) -> bytes:
        """Read the content of the member that ``next`` returned.

        Raises:
            ManifestError: The archive ends inside it.
        """
        data = self._read(padded_size(member.size))
        if len(data) < member.size:
            raise ManifestError(f"{self.where} was cut inside {member.key}.{member.field}.")
        self._offset += len(data)
        return data[: member.size]

    def skip(self, member: Member) -> None:
        """Pass over the content of the member that ``next`` returned."""
        room = padded_size(member.size)
        if self._handle.seekable():
            self._handle.seek(room, os.SEEK_CUR)
        else:
            self._read(room)
        self._offset += room

    def _read(self, n: int) -> bytes:
        data = self._handle.read(n)
        while len(data) < n and (more := self._handle.read(n - len(data))):
            data += more  # Streams from the network may return less than asked for.
        return data


def scan(where: str, handle: IO[bytes]) -> Iterator[list[Member]]:
    """Yield the members of each clip in turn, contents passed over.

    Raises:
        ManifestError: The tar is cut or damaged.
    """
    cursor = Cursor(where, handle)
    clip: list[Member] = []
    while member := cursor.next():
        if clip and clip[0].key != member.key:
            yield clip
            clip = []
        clip.append(member)
        cursor.skip(member)
    if clip:
        yield clip
