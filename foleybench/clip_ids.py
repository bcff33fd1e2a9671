"""Clip ids: ``<video id>_<start second as six digits>``, safe characters only.

No dot ever, since WebDataset splits a member's name at the first one; nothing that a shell, a path or a page reads.
Four ways of naming the same clip are in use and understood here (SpecVQGAN, Synchformer and im2wav write milliseconds,
cav-mae writes ``<id>_40.000``).
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

MAX_SLUG_CHARS = 80
VALID = re.compile(r"[A-Za-z0-9_-]{1,83}_[0-9]{6}")

_VIDEO = r"(?P<video>[A-Za-z0-9_-]{11})"
_SECONDS = re.compile(_VIDEO + r"_(?P<s>[0-9]{6})")
_MILLISECONDS = re.compile(_VIDEO + r"_(?P<start>[0-9]{1,9})_(?P<end>[0-9]{1,9})")
_DECIMAL = re.compile(_VIDEO + r"_(?P<s>[0-9]{1,6})\.(?P<fraction>[0-9]{1,6})")


class ClipName(NamedTuple):
    """What a file name says about a clip.

    Attributes:
        source_id: The video it was cut from.
        start_s: Where in that video it starts.
        known: Whether the name follows one of the known schemes; otherwise ``source_id`` is a slug of the whole stem.
        end_s: Where in that video it ends, or None when the name does not say.
    """

    source_id: str
    start_s: float
    known: bool
    end_s: float | None = None

    @property
    def clip_id(self) -> str:
        """The id of the clip; the start is written in whole seconds, rounded down."""
        return f"{self.source_id}_{int(self.start_s):06d}"


def segment_id(video_id: str, start_s: float, end_s: float) -> str:
    """Return the id of a segment of a listed video: milliseconds when it does not start at a whole second.

    Example:
        >>> segment_id("-1pRmoJIGQc", 10.0, 20.0), segment_id("-1pRmoJIGQc", 10.5, 20.5)
        ('-1pRmoJIGQc_000010', '-1pRmoJIGQc_10500_20500')
    """
    if start_s == int(start_s):
        return f"{video_id}_{int(start_s):06d}"
    return f"{video_id}_{round(start_s * 1000)}_{round(end_s * 1000)}"


def parse_stem(stem: str) -> ClipName:
    """Read a file name without its ending.

    Example:
        >>> parse_stem("-1pRmoJIGQc_10000_20000").clip_id, parse_stem("00W1lcxW-WU_40.000").clip_id
        ('-1pRmoJIGQc_000010', '00W1lcxW-WU_000040')
        >>> parse_stem("my dog; rm -rf").clip_id
        'my-dog--rm--rf_000000'
    """
    if found := _SECONDS.fullmatch(stem):
        return ClipName(found["video"], float(found["s"]), known=True)
    if found := _MILLISECONDS.fullmatch(stem):
        return ClipName(found["video"], int(found["start"]) / 1000, known=True, end_s=int(found["end"]) / 1000)
    if found := _DECIMAL.fullmatch(stem):
        return ClipName(found["video"], float(f"{found['s']}.{found['fraction']}"), known=True)
    return ClipName(slug(stem), 0.0, known=False)


def slug(text: str) -> str:
    """Return ``text`` as a safe id: other characters become ``-``; a long one is cut and ends in a hash of the whole.

    Example:
        >>> slug("a.b c")
        'a-b-c'
        >>> slug("../..")
        '-----'
    """
    safe = re.sub(r"[^A-Za-z0-9_-]", "-", text) or "clip"
    if len(safe) <= MAX_SLUG_CHARS:
        return safe
    return f"{safe[: MAX_SLUG_CHARS - 9]}-{short_hash(text)}"


def short_hash(text: str) -> str:
    """Return eight hexadecimal digits that differ for different texts."""
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()[:8]
