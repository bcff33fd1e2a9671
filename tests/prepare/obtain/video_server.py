"""A video site on the loopback address that goes wrong on purpose: each video has one deed, as its name says.

Each video has its own video and audio. They are made before the site opens: on a busy machine, making one while it
is asked for would look like a site that stalls.
"""

from __future__ import annotations

import contextlib
import io
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import numpy as np

FPS, RATE_HZ, LENGTH_S = 15, 16000, 14.0

# deed -> (status in the manifest, flag that the clip must have or "")
EXPECTED = {
    "fine": ("ok", ""),
    "slow": ("ok", ""),
    "missing": ("removed", ""),  # 404
    "gone": ("removed", ""),  # 410
    "forbidden": ("forbidden", ""),  # 403
    "busy": ("ok", ""),  # 429 with Retry-After: 1, then fine
    "shut": ("rate_limited", ""),  # 429 with Retry-After: 2, always
    "shaky": ("ok", ""),  # 500, then fine
    "broken": ("server_error", ""),  # 503, always
    "stall": ("stalled", ""),  # half, then silence
    "cut": ("truncated", ""),  # half, then the connection ends, always
    "resumed": ("ok", ""),  # half, then the connection ends; the rest when asked for
    "longer": ("truncated", ""),  # says that it is longer than it is
    "short": ("ok", "short"),  # ends inside the asked seconds
    "early": ("ends_early", ""),  # ends before them
    "silent": ("no_audio", ""),  # video only
    "garbage": ("unreadable", ""),  # bytes that are no video
    "page": ("no_video_there", ""),  # a page about nothing
}


def video_id(index: int, deed: str) -> str:
    """Return an id of eleven characters that says what will go wrong; some start with ``-`` or ``_``."""
    return f"{'-_v'[index % 3]}{index:03d}{deed[:7]:_<7}"


def start_s(index: int) -> int:
    """Return the asked second of a video; never 0, so that a video can end before it."""
    return 1 + index % 3


def deed_of(name: str) -> str:
    """Return what goes wrong with an id."""
    return next(deed for deed in EXPECTED if deed[:7] == name[4:].rstrip("_"))


def deeds(n: int) -> list[str]:
    """Return ``n`` deeds: each one once, half of the rest fine, the others in turn."""
    names = list(EXPECTED)
    cheap = [name for name in names if name != "stall"]
    found = names[:n]
    while len(found) < n:
        k = len(found)
        found.append("fine" if k % 2 else cheap[k // 2 % len(cheap)])
    return found


def rows(n: int) -> str:
    """Return a VGGSound list of the videos."""
    listed = [(video_id(k, deed), start_s(k)) for k, deed in enumerate(deeds(n))]
    return "".join(f'{name},{start},"class {k % 5}",test\n' for k, (name, start) in enumerate(listed))


@cache
def media(name: str) -> bytes:
    """Return the file of a video: noise that moves and is heard, both its own; a tone takes AAC six times as long."""
    deed = deed_of(name)
    length_s = {"short": 8.0, "early": 0.0}.get(deed, LENGTH_S)
    if deed == "early":
        length_s = 0.9
    seed = sum(ord(c) * 31**k for k, c in enumerate(name)) % 2**32
    rng = np.random.default_rng(seed)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.codec_context.thread_count = 1
        video.options = {"preset": "ultrafast", "crf": "30", "g": "60"}
        sound = None if deed == "silent" else container.add_stream("aac", rate=RATE_HZ, layout="mono")
        if sound is not None:
            sound.options = {"aac_coder": "fast"}
        base = rng.integers(0, 255, (6, 8), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        for k in range(round(length_s * FPS)):
            image = np.repeat(np.roll(base, k, axis=1)[..., None], 3, axis=2)
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
        container.mux(video.encode())
        if sound is not None:
            audio = rng.normal(0, 0.1, round(length_s * RATE_HZ)).astype(np.float32)
            for at in range(0, len(audio), 1024):
                frame = av.AudioFrame.from_ndarray(audio[None, at : at + 1024], format="fltp", layout="mono")
                frame.sample_rate, frame.time_base, frame.pts = RATE_HZ, Fraction(1, RATE_HZ), at
                container.mux(sound.encode(frame))
            container.mux(sound.encode())
    return buffer.getvalue()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer as the video's deed wants it."""
        server: VideoServer = self.server  # type: ignore[assignment]
        name = self.path.rpartition("/")[2].removesuffix(".mp4")
        deed = deed_of(name)
        server.asked[name] += 1
        first = server.asked[name] == 1
        code = {"missing": 404, "gone": 410, "forbidden": 403, "shut": 429, "broken": 503}.get(deed)
        code = {"busy": 429, "shaky": 500}.get(deed) if first and code is None else code
        if code:
            self._refuse(code, {"shut": "2", "busy": "1"}.get(deed))
        elif deed == "page":
            self._send(b"<html><title>Nothing</title><p>here</html>", "text/html")
        else:
            self._video(name, deed)

    def _refuse(self, code: int, retry_after: str | None) -> None:
        self.send_response(code)
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _video(self, name: str, deed: str) -> None:
        data = np.random.default_rng(5).bytes(20000) if deed == "garbage" else media(name)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        if start >= len(data):
            self._refuse(416, None)
            return
        size = len(data) + (5000 if deed == "longer" else 0)
        self.send_response(206 if asked else 200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(size - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.end_headers()
        self._body(data, start, deed)

    def _body(self, data: bytes, start: int, deed: str) -> None:
        half = len(data) // 2
        whole = deed not in ("stall", "cut", "resumed", "longer") or (deed == "resumed" and start > 0)
        # A resumed transfer of a video that is always cut gets nothing more.
        part = data[start:] if whole or deed == "longer" else data[start : max(start, half)]
        with contextlib.suppress(ConnectionError):
            if deed == "slow":
                for at in range(0, len(part), max(1, len(part) // 8)):
                    self.wfile.write(part[at : at + max(1, len(part) // 8)])
                    time.sleep(0.1)
            else:
                self.wfile.write(part)
            self.wfile.flush()
            if deed == "stall":
                self.server.closing.wait(60)  # type: ignore[attr-defined]
        self.close_connection = not whole or deed == "longer"

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)


class VideoServer(ThreadingHTTPServer):
    """The site.

    Attributes:
        asked: How often each video was asked for.
        closing: Set when the site goes down.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: Counter[str] = Counter()
        self.closing = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients are killed on purpose."""

    @property
    def template(self) -> str:
        """Address with a place for the id."""
        return f"http://127.0.0.1:{self.server_address[1]}/{{video_id}}.mp4"


@contextlib.contextmanager
def serving(n: int) -> Iterator[VideoServer]:
    """Run the site with its first ``n`` videos in a thread."""
    for k, deed in enumerate(deeds(n)):
        media(video_id(k, deed))
    server = VideoServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
