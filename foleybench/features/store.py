"""Store an encoder's cached features in one SQLite file.

SQLite because a run over 15,000 clips must not leave 180,000 files, several processes write at a time, and every
language can read it. A row holds the key, a checksum of key and content, and the arrays in the safetensors format. A
row that does not agree with its checksum counts as absent; a file that is not a readable database is set aside.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from foleybench.api.encoder import Features

# Name the file's kind (``PRAGMA application_id``: "fole") and the layout of its rows (``PRAGMA user_version``).
_APPLICATION = 0x666F6C65
_LAYOUT = 1
# Another process writes one chunk of clips at a time, which takes milliseconds; a full disk can make it seconds.
_PATIENCE_S = 60.0
# With these errors the file itself is intact: a full disk, no permission, another process that writes for a minute.
_FAULTS_OF_THE_PLACE = (
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM),
)
# Errors of a damaged file; their messages quote the file, so they need not be UTF-8.
_FAULTS = (sqlite3.Error, UnicodeDecodeError)
ENDING = ".sqlite"


class FeatureStore:
    """The cached features of one encoder, by key.

    Several processes may read and write one file at a time. An object belongs to the thread that made it.
    """

    def __init__(self, path: Path) -> None:
        """Set up the store; the first ``put`` makes the file."""
        self._connection: sqlite3.Connection | None = None
        self.path = path

    def get(self, keys: Sequence[str]) -> dict[str, Features]:
        """Return the features of those keys that are there and whole to the last bit; none when the file is damaged."""
        if self._connection is None and not self.path.is_file():
            return {}
        try:
            rows = list(self._rows(keys))
        except _FAULTS:
            self.close()
            return {}
        found: dict[str, Features] = {}
        for key, digest, content in rows:
            if isinstance(content, bytes) and digest == _digest(key, content):
                with contextlib.suppress(safetensors.SafetensorError):
                    found[key] = safetensors.numpy.load(content)
        return found

    def put(self, entries: Mapping[str, Features]) -> None:
        """Keep features under their keys, all or none.

        Raises:
            OSError: The folder cannot be made, or the file not be set aside.
            sqlite3.Error: The file cannot be written (full disk, no permission, locked for a minute).
        """
        rows = [(key, _digest(key, content), content) for key, content in _contents(entries)]
        try:
            self._insert(rows)
        except _FAULTS as error:
            if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in _FAULTS_OF_THE_PLACE:
                self.close()
                raise
            self._set_aside()
            self._insert(rows)

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        """Close the file with the last reference: whoever scores drops a cache and closes nothing."""
        self.close()

    def _rows(self, keys: Sequence[str]) -> Iterator[tuple[str, bytes, bytes]]:
        connection = self._open()
        for key in keys:
            yield from connection.execute("SELECT key, digest, content FROM features WHERE key = ?", [key])

    def _insert(self, rows: Sequence[tuple[str, bytes, bytes]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = self._open()
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO features VALUES (?, ?, ?)", rows)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self.path, timeout=_PATIENCE_S, isolation_level=None)
            try:
                _prepare(connection)
            except _FAULTS:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _set_aside(self) -> None:
        self.close()
        self.path.replace(self.path.with_suffix(".damaged"))


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the table in a new file; refuse a file of somebody else's, or of another layout."""
    # A cache may be lost when the machine loses power; a killed process alone loses nothing.
    connection.execute("PRAGMA synchronous = OFF")
    marks = tuple(_number(connection, f"PRAGMA {name}") for name in ("application_id", "user_version"))
    if marks == (_APPLICATION, _LAYOUT):
        return
    if _number(connection, "SELECT count(*) FROM sqlite_master"):
        raise _foreign(f"the file is marked {marks}, not {(_APPLICATION, _LAYOUT)}")
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE IF NOT EXISTS features (key TEXT PRIMARY KEY, digest BLOB, content BLOB)")
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {_LAYOUT}")


def _foreign(what: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(what)
    error.sqlite_errorcode = sqlite3.SQLITE_NOTADB
    return error


def _number(connection: sqlite3.Connection, statement: str) -> int:
    return int(connection.execute(statement).fetchone()[0])


def _contents(entries: Mapping[str, Features]) -> Iterator[tuple[str, bytes]]:
    for key, features in entries.items():
        yield key, safetensors.numpy.save({name: np.asarray(value, order="C") for name, value in features.items()})


def _digest(key: str, content: bytes) -> bytes:
    # The checksum covers the key, so that content beside another key is not believed either.
    digest = hashlib.sha256(key.encode())
    digest.update(content)
    return digest.digest()
