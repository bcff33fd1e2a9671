"""A loopback server that gives one file, and does to it what servers do."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import http.server
import re
import threading
import time
from collections.abc import Callable, Iterator


@dataclasses.dataclass
class Faults:
    """What to do; fields may be changed between requests.

    Attributes:
        content: The file.
        cut: Bytes after which the connection is closed, in answers that would be longer; None for never.
        cuts: How many answers are cut.
        stall_s: Silence in the middle of an answer.
        stalls: How many answers stall.
        length: What ``Content-Length`` says of a whole file, None for the truth, -1 for no such header.
        ranges: Whether ranges are served.
        etag: The file's mark; None for its hash, "" for none (and no time of change either).
        statuses: Codes of the first answers, in place of the file.
        raw: Bytes sent in place of any answer.
        html: Whether a web page comes in place of the file.
        seen: The ``Range`` of every request, "" for none.
        on_request: Called before every answer with the number of the request.
    """

    content: bytes
    cut: int | None = None
    cuts: int = 1 << 30
    stall_s: float = 0.0
    stalls: int = 1
    length: int | None = None
    ranges: bool = True
    etag: str | None = None
    statuses: list[int] = dataclasses.field(default_factory=list)
    raw: bytes | None = None
    html: bool = False
    seen: list[str] = dataclasses.field(default_factory=list)
    on_request: Callable[[int], None] = lambda number: None


@contextlib.contextmanager
def serving(faults: Faults) -> Iterator[str]:
    """Give the address of a file that is served with these faults."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args):
            """Say nothing."""

        def do_GET(self):
            faults.seen.append(self.headers.get("Range", ""))
            faults.on_request(len(faults.seen))
            with contextlib.suppress(ConnectionError):
                answer(self, faults)

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args):
            """A client that hangs up is no news."""

    with Server(("127.0.0.1", 0), Handler) as running:
        # Asked to end, a server looks up at its next poll: half a second by default.
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{running.server_port}/net.pt"
        finally:  # with its socket closed it would go round and round without waiting, until the process ends
            running.shutdown()


def answer(handler, faults):
    handler.close_connection = True
    if faults.raw is not None:
        handler.wfile.write(faults.raw)
        return
    if faults.statuses:
        handler.send_error(faults.statuses.pop(0))
        return
    if faults.html:
        page = b"<!DOCTYPE html><title>Sign in</title>"
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html; charset=utf-8")
        handler.send_header("Content-Length", str(len(page)))
        handler.end_headers()
        handler.wfile.write(page)
        return
    etag = f'"{hashlib.sha256(faults.content).hexdigest()}"' if faults.etag is None else faults.etag
    start = start_of(handler.headers, faults, etag)
    body = faults.content[start or 0 :]
    if start is not None and not body:
        handler.send_error(416)
        return
    handler.send_response(200 if start is None else 206)
    if start is not None:
        handler.send_header("Content-Range", f"bytes {start}-{len(faults.content) - 1}/{len(faults.content)}")
    if etag:
        handler.send_header("ETag", etag)
    length = len(body) if faults.length is None else faults.length
    if length >= 0:
        handler.send_header("Content-Length", str(length))
    handler.end_headers()
    send(handler, faults, body)


def start_of(headers, faults, etag):
    found = re.fullmatch(r"bytes=(\d+)-", headers.get("Range", ""))
    # No If-Range at all is a client that takes whatever version comes.
    same = headers.get("If-Range", etag) == etag
    return int(found[1]) if found and faults.ranges and same else None


def send(handler, faults, body):
    cut = faults.cut is not None and len(body) > faults.cut and faults.cuts > 0
    faults.cuts -= cut
    body = body[: faults.cut] if cut else body
    if faults.stall_s and faults.stalls > 0:
        faults.stalls -= 1
        handler.wfile.write(body[: len(body) // 2])
        handler.wfile.flush()
        time.sleep(faults.stall_s)
        body = body[len(body) // 2 :]
    handler.wfile.write(body)
