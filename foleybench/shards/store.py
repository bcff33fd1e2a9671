"""Open shards in a folder or at a URL.

Any URL that fsspec knows will do (``s3://``, ``gs://``, ``https://`` ...). A written file appears whole or not at all:
by rename in a folder; by a single upload to an object store, whose objects appear when they are complete; by upload
under another name and a move everywhere else. Uploaded files are read back and their hashes compared.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import IO, Any, cast

from foleybench.errors import FoleyError, ManifestError
from foleybench.files import write_atomically

# Protocols whose objects appear only when an upload is complete.
_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "oci", "r2", "memory"})
_BLOCK = 8 << 20


class Folder:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def locate(self, name: str) -> str:
        """Return where a file lies, for messages."""
        return str(self.path / name)

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading.

        Raises:
            ManifestError: It is not there.
        """
        try:
            return (self.path / name).open("rb")
        except FileNotFoundError as error:
            raise ManifestError(f"{self.locate(name)} is missing.") from error

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        with self.open(name) as handle:
            return handle.read()

    def size(self, name: str) -> int | None:
        """Return a file's size in bytes, or None when it is not there."""
        path = self.path / name
        return path.stat().st_size if path.is_file() else None

    def sizes(self) -> dict[str, int]:
        """Return the sizes in bytes of the files that lie in it, by name."""
        with os.scandir(self.path) as found:
            return {entry.name: entry.stat().st_size for entry in found if entry.is_file()}

    def write(self, name: str, data: bytes) -> None:
        """Write a small file."""
        write_atomically(self.path / name, data)


class Remote:
    """A folder at a URL."""

    def __init__(self, url: str) -> None:
        import fsspec

        self.url = url.rstrip("/")
        try:
            self._files, self._root = cast(tuple[Any, str], fsspec.core.url_to_fs(self.url))
        except (ImportError, ValueError) as error:
            raise FoleyError(f"{self.url} cannot be used: {error}.") from error

    def __str__(self) -> str:
        return self.url

    def locate(self, name: str) -> str:
        """Return where a file lies, for messages."""
        return f"{self.url}/{name}"

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading.

        Raises:
            ManifestError: It is not there.
        """
        try:
            return cast(IO[bytes], self._files.open(self._path(name), "rb", block_size=_BLOCK))
        except FileNotFoundError as error:
            raise ManifestError(f"{self.locate(name)} is missing.") from error

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        with self.open(name) as handle:
            return handle.read()

    def size(self, name: str) -> int | None:
        """Return a file's size in bytes, or None when it is not there."""
        self._files.invalidate_cache()
        try:
            return int(self._files.info(self._path(name))["size"])
        except FileNotFoundError:
            return None

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Return the sizes in bytes of the files that lie in it (or in a folder of it), by name."""
        self._files.invalidate_cache()
        try:
            found = self._files.ls(self._path(folder) if folder else self._root, detail=True)
        except FileNotFoundError:
            return {}
        return {one["name"].rpartition("/")[2]: int(one["size"]) for one in found if one["type"] == "file"}

    def write(self, name: str, data: bytes) -> None:
        """Write a small file and read it back.

        Raises:
            FoleyError: What arrived is not what was sent.
        """
        target = self._begin(name)
        self._files.pipe_file(target, data)
        self._end(name, target, hashlib.sha256(data).hexdigest())

    def upload(self, name: str, path: Path, sha256: str) -> None:
        """Send a file and read it back.

        Raises:
            FoleyError: What arrived is not what was sent.
        """
        target = self._begin(name)
        self._files.put_file(str(path), target)
        self._end(name, target, sha256)

    def download(self, name: str, path: Path) -> None:
        """Get a file, under a temporary name first."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        self._files.get_file(self._path(name), str(temporary))
        temporary.replace(path)

    def delete(self, name: str) -> None:
        """Delete a file if it is there."""
        if self.size(name) is not None:
            self._files.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _begin(self, name: str) -> str:
        path = self._path(name)
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        protocol = self._files.protocol
        names = {protocol} if isinstance(protocol, str) else set(protocol)
        return path if names & _OBJECT_STORES else f"{path}.part"

    def _end(self, name: str, target: str, sha256: str) -> None:
        digest = hashlib.sha256()
        with self._files.open(target, "rb", block_size=_BLOCK) as handle:
            while block := handle.read(_BLOCK):
                digest.update(block)
        if digest.hexdigest() != sha256:
            self._files.rm_file(target)
            raise FoleyError(f"{self.locate(name)} arrived damaged and was deleted. Run the same command again.")
        if target != self._path(name):
            self._files.mv(target, self._path(name))


Store = Folder | Remote


def is_url(where: Path | str) -> bool:
    """Whether a place is a URL; ``file://`` is a folder like any other.

    Example:
        >>> is_url("s3://bucket/x"), is_url("shards/x"), is_url("file:///x")
        (True, False, False)
    """
    text = str(where)
    return "://" in text and not text.startswith("file://")


def open_store(where: Path | str) -> Store:
    """Return the folder at a path or URL."""
    if isinstance(where, str) and is_url(where):
        return Remote(where)
    return Folder(Path(str(where).removeprefix("file://")))


def split_location(where: Path | str) -> tuple[Store, str]:
    """Return the folder and the name of a file at a path or URL."""
    text = str(where)
    if is_url(text):
        folder, _, name = text.rpartition("/")
        return Remote(folder), name
    path = Path(text.removeprefix("file://"))
    return Folder(path.parent), path.name
