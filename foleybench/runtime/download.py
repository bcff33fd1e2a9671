"""Download one large file: resumed, retried, checked before it appears.

The bytes received so far lie beside the file as ``.NAME.part``, with the server's mark of its version in
``.NAME.part.json``; a later try or a later run asks the server for the rest, and only of the same version.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import http.client
import json
import re
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from foleybench.errors import FoleyError, why
from foleybench.runtime.progress import Progress

_BLOCK = 1 << 18
# A full or slow server and a broken gateway may recover within a minute; any other refusal is final.
_PASSING = {408, 425, 429, *range(500, 600)}
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class WrongContentError(FoleyError):
    """The server sent another file: a web page, another length, another hash."""


class _BrokenOffError(Exception):
    """A try ended early, and another try may succeed; the message says how it ended."""


class _OtherVersionError(_BrokenOffError):
    """The file at the server is no longer the one whose first part lies here."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Patience:
    """Limits on tries and waiting.

    Attributes:
        tries: Largest number of tries in a row without new bytes.
        timeout_s: Seconds that the server may be silent.
        wait_s: Wait after the first try without new bytes; doubled after every further one.
        longest_wait_s: Longest wait.
    """

    tries: int = 5
    timeout_s: float = 60.0
    wait_s: float = 1.0
    longest_wait_s: float = 60.0


@dataclasses.dataclass(frozen=True)
class _Version:
    """The version marks and the length in bytes that a server states for a file; None where it states none."""

    etag: str = ""
    changed: str = ""
    total: int | None = None

    @property
    def mark(self) -> str:
        """The value for ``If-Range``: a strong entity tag, else the time of change, else nothing."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.changed


def download_file(
    url: str,
    path: Path,
    *,
    size_bytes: int | None = None,
    check: Callable[[Path], None] = lambda part: None,
    hashed: bool = False,
    patience: Patience = Patience(),
    tell: Callable[[str], object] = lambda sentence: None,
) -> None:
    """Download a file; it appears under its name when all of it is there and ``check`` has passed it.

    Args:
        url: Address of the file.
        path: Destination; its folder is made.
        size_bytes: Length of the file, where known.
        check: Called with the received file, before it gets its name; raises ``WrongContentError`` for wrong content,
            which is then set aside as ``NAME.refused``.
        hashed: Whether ``check`` knows a hash, and so would notice parts of two versions; else a server that gives no
            mark of the version is asked for the whole file every time.
        patience: Limits on tries and waiting.
        tell: Called with a sentence for every try that broke off, and for a file that is set aside.

    Raises:
        WrongContentError: The received content is not the file.
        FoleyError: The server refuses, or breaks off again and again (received bytes are kept); the file cannot be
            written here; another run downloads it.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as handle:
            _lock(handle, path)
            _Download(url, path, handle, size_bytes, hashed, patience, tell).to_the_end(check)
            part.replace(path)
        _note_of(path).unlink(missing_ok=True)
    except OSError as error:
        raise FoleyError(f"{path} cannot be written: {why(error)}. Make room, or name another folder.") from error


def refused_name(path: Path) -> Path:
    """Return the name under which wrong content is set aside."""
    return path.with_name(f"{path.name}.refused")


def _note_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.part.json")


def _lock(handle: IO[bytes], path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise FoleyError(f"another run is downloading {path}. Wait for it to end.") from error


class _Download:
    """One download: its tries, and the bytes kept between them."""

    def __init__(
        self,
        url: str,
        path: Path,
        handle: IO[bytes],
        size_bytes: int | None,
        hashed: bool,
        patience: Patience,
        tell: Callable[[str], object],
    ) -> None:
        self._url, self._path, self._handle = url, path, handle
        self._size, self._hashed, self._patience, self._tell = size_bytes, hashed, patience, tell
        self._note = _note_of(path)
        self._version = self._noted()
        self._joined = False  # whether the parts came in several tries
        if self._here() and not self._resumable():
            self._start_again()

    def to_the_end(self, check: Callable[[Path], None]) -> None:
        """Get the missing bytes, and check the file; parts that do not fit together are fetched once more, as one."""
        part = Path(self._handle.name)
        while True:
            self._get_all()
            try:
                return check(part)
            except WrongContentError as error:
                if not self._joined:
                    aside = refused_name(self._path)
                    part.replace(aside)
                    self._note.unlink(missing_ok=True)
                    raise WrongContentError(f"{error} The received file is set aside as {aside.name}.") from error
                self._tell(f"{self._path.name}: the parts do not make the file ({error}): starting again")
                self._start_again()

    def _get_all(self) -> None:
        farthest, idle = self._here(), 0
        while True:
            try:
                return self._one_try()
            except _BrokenOffError as error:
                if isinstance(error, _OtherVersionError) or not self._resumable():
                    self._start_again()
                idle = 0 if self._here() > farthest else idle + 1
                farthest = max(farthest, self._here())
                if idle >= self._patience.tries:
                    raise FoleyError(self._given_up(str(error), idle)) from error
                wait_s = min(self._patience.wait_s * 2 ** max(0, idle - 1), self._patience.longest_wait_s)
                self._tell(f"{self._path.name}: {error}; trying again in {wait_s:.0f} s at {self._here():,} bytes")
                time.sleep(wait_s)

    def _given_up(self, reason: str, idle: int) -> str:
        kept = f"{self._here():,} bytes are kept, and the same command goes on from there" if self._here() else ""
        return (
            f"{self._url} could not be downloaded: {reason}, and {idle} tries in a row brought nothing new. "
            f"{kept + ', or put' if kept else 'Try again, or put'} the file at {self._path} by hand."
        )

    def _one_try(self) -> None:
        """Request the missing bytes and write them.

        Raises:
            _BrokenOffError: Some bytes are still missing.
            FoleyError: Another try would not help.
        """
        start = self._here()
        if start and start == self._whole():
            return
        with contextlib.closing(self._open(start)) as answer:
            self._begin(answer, start)
            self._copy(answer)

    @contextlib.contextmanager
    def _network_errors(self) -> Iterator[None]:
        """Turn every network error into one that another try may resolve, or a final one."""
        try:
            yield
        except urllib.error.HTTPError as error:
            error.close()  # it holds the connection
            raise self._refusal(error) from error
        except (http.client.HTTPException, OSError, ValueError) as error:
            raise self._network(error) from error

    def _open(self, start: int) -> Any:
        headers = {"Accept-Encoding": "identity", "User-Agent": "foleybench"}
        if start:
            headers["Range"] = f"bytes={start}-"
            if self._version.mark:
                headers["If-Range"] = self._version.mark
        with self._network_errors():
            request = urllib.request.Request(self._url, headers=headers)  # noqa: S310 (addresses of our own table)
            return urllib.request.urlopen(request, timeout=self._patience.timeout_s)  # noqa: S310

    def _begin(self, answer: Any, start: int) -> None:
        """Record the version that the server sends, and its first byte; refuse other files.

        Raises:
            _OtherVersionError: The version differs from that of the first part here.
            FoleyError: The server sends a web page, a file of another length, or one too large for the disk.
        """
        kind = answer.headers.get_content_type()
        if kind in {"text/html", "application/xhtml+xml"}:
            raise WrongContentError(f"{self._url} sent a web page ({kind}), not the file. {self._by_hand()}")
        found = _version_of(answer)
        if start and answer.status == http.client.PARTIAL_CONTENT:
            place = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            same = not self._version.mark or found.mark == self._version.mark
            if not place or int(place[1]) != start or not same or found.total != (self._version.total or found.total):
                raise _OtherVersionError("the file at the server has changed since the last try")
            self._joined = True
        elif start:
            self._tell(f"{self._path.name}: the server sends it from the start again")
            self._start_again()
        if None not in (self._size, found.total) and found.total != self._size:
            raise WrongContentError(
                f"{self._url} offers {found.total:,} bytes; the published file has {self._size:,}. {self._by_hand()}"
            )
        self._require_room((found.total or self._size or 0) - self._here())
        self._version = found
        self._note.write_text(json.dumps({"url": self._url, **dataclasses.asdict(found)}), encoding="utf-8")

    def _copy(self, answer: Any) -> None:
        bar = Progress(total=self._whole(), initial=self._here(), unit="B", unit_scale=True, desc=self._path.name)
        with bar:
            while block := self._read(answer):
                self._write(block)
                bar.update(len(block))
        whole = self._whole()
        if whole is not None and self._here() < whole:
            raise _BrokenOffError(f"the server ended after {self._here():,} of {whole:,} bytes")
        if whole is not None and self._here() > whole:
            self._start_again()
            raise WrongContentError(f"{self._url} sent more than {whole:,} bytes. {self._by_hand()}")

    def _read(self, answer: Any) -> bytes:
        with self._network_errors():
            # Write each received piece, not full blocks: a broken connection then loses nothing.
            block: bytes = answer.read1(_BLOCK)
            return block

    def _write(self, block: bytes) -> None:
        try:
            self._handle.write(block)
            self._handle.flush()
        except OSError as error:
            raise FoleyError(
                f"{self._path} cannot be written: {why(error)}. Make room and run the same command: it goes on."
            ) from error

    def _refusal(self, error: urllib.error.HTTPError) -> Exception:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _OtherVersionError("the server has no more bytes where the file should go on")
        words = f"the server answered {error.code} {error.reason}"
        if error.code in _PASSING:
            return _BrokenOffError(words)
        return FoleyError(f"{self._url} could not be downloaded: {words}. {self._by_hand()}")

    def _network(self, error: Exception) -> Exception:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        words = f"{type(cause).__name__}: {cause}" if isinstance(cause, Exception) else str(cause)
        final = (http.client.InvalidURL, ssl.SSLCertVerificationError, ValueError)
        if isinstance(cause, final) or not isinstance(cause, (OSError, http.client.HTTPException)):
            return FoleyError(f"{self._url} could not be downloaded: {words}. {self._by_hand()}")
        if isinstance(cause, TimeoutError):
            words = f"the server was silent for {self._patience.timeout_s:.0f} s"
        return _BrokenOffError(words)

    def _require_room(self, wanted: int) -> None:
        free = shutil.disk_usage(self._path.parent).free
        if wanted > free:
            raise FoleyError(
                f"{self._path} needs {wanted:,} bytes more; {self._path.parent} has {free:,} free. Make room, or name "
                "another folder in FOLEYBENCH_WEIGHTS."
            )

    def _by_hand(self) -> str:
        return f"Put the file at {self._path} by hand."

    def _here(self) -> int:
        self._handle.seek(0, 2)
        return self._handle.tell()

    def _whole(self) -> int | None:
        return self._size if self._size is not None else self._version.total

    def _start_again(self) -> None:
        self._handle.truncate(0)
        self._version = _Version()
        self._joined = False
        self._note.unlink(missing_ok=True)

    def _resumable(self) -> bool:
        """Whether the part here can be continued: it is of this address, and a change at the server would show."""
        marked = bool(self._version.mark) or self._hashed
        return marked and self._here() <= (self._whole() or self._here())

    def _noted(self) -> _Version:
        """Return the version of the part here; one without marks when unknown, or of another address."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            total = note["total"]
            same = note["url"] == self._url and (total is None or isinstance(total, int))
            return _Version(str(note["etag"]), str(note["changed"]), total) if same else _Version()
        except (OSError, ValueError, KeyError, TypeError):
            return _Version()


def _version_of(answer: Any) -> _Version:
    headers = answer.headers
    place = _RANGE.fullmatch(headers.get("Content-Range", ""))
    length = headers.get("Content-Length", "")
    if answer.status == http.client.PARTIAL_CONTENT:
        total = int(place[3]) if place else None
    else:
        total = int(length) if length.isdecimal() else None
    return _Version(headers.get("ETag", ""), headers.get("Last-Modified", ""), total)
