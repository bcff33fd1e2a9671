"""Make clip ids from file names.

An id is the file's name as it stands, made safe; what known naming schemes say beside it is read, too.

An id holds letters, digits and accents of any script, ``_`` and ``-``; everything else becomes ``-``. No dot ever,
since WebDataset splits a member's name at the first one; nothing that a shell, a path or a page reads. A scheme is
recognised, never imposed: SpecVQGAN, Synchformer and im2wav write milliseconds, cav-mae writes ``<id>_40.000``, lists
have ``<id>_000040``; each says from which video a clip was cut, and where.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import NamedTuple

# A tar of the plain kind holds names of 100 bytes, of which an ending takes five.
MAX_ID_BYTES = 90
# What ``<video>_<start>`` adds to a slug of this length stays within that.
MAX_SLUG_BYTES = 80
VALID = re.compile(r"[A-Za-z0-9_-]{1,83}_[0-9]{6}")

_VIDEO = r"(?P<video>[A-Za-z0-9_-]{11})"
_SECONDS = re.compile(_VIDEO + r"_(?P<s>[0-9]{6})")
_INTERVAL = re.compile(_VIDEO + r"_(?P<start>[0-9]{1,9})_(?P<end>[0-9]{1,9})")
_DECIMAL = re.compile(_VIDEO + r"_(?P<s>[0-9]{1,6})\.(?P<fraction>[0-9]{1,6})")
# No clip is shorter than a second or as long as a thousand: a smaller number of units from start to end is of seconds.
_LEAST_MS = 1000


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
        """The id that lists give the clip; the start is written in whole seconds, rounded down."""
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

    Two numbers after a video's id are start and end: milliseconds when they are 1000 or more apart, else seconds.

    Example:
        >>> parse_stem("-1pRmoJIGQc_10000_20000").clip_id, parse_stem("00W1lcxW-WU_40.000").clip_id
        ('-1pRmoJIGQc_000010', '00W1lcxW-WU_000040')
        >>> parse_stem("-1pRmoJIGQc_10_20")
        ClipName(source_id='-1pRmoJIGQc', start_s=10.0, known=True, end_s=20.0)
        >>> parse_stem("my dog; rm -rf")
        ClipName(source_id='my-dog--rm--rf', start_s=0.0, known=False, end_s=None)
    """
    if found := _SECONDS.fullmatch(stem):
        return ClipName(found["video"], float(found["s"]), known=True)
    if found := _INTERVAL.fullmatch(stem):
        start, end = int(found["start"]), int(found["end"])
        unit = 1000.0 if end - start >= _LEAST_MS else 1.0
        return ClipName(found["video"], start / unit, known=True, end_s=end / unit)
    if found := _DECIMAL.fullmatch(stem):
        return ClipName(found["video"], float(f"{found['s']}.{found['fraction']}"), known=True)
    return ClipName(slug(stem), 0.0, known=False)


def slug(text: str) -> str:
    """Return ``text`` as a safe id; a long one is cut and ends in a hash of the whole.

    Example:
        >>> slug("a.b c"), slug("Тише едешь.1"), slug("敲门")
        ('a-b-c', 'Тише-едешь-1', '敲门')
        >>> slug("../..")
        '-----'
    """
    safe = _slug_of_any_length(text) or "clip"
    if len(safe.encode()) <= MAX_SLUG_BYTES:
        return safe
    start = safe.encode()[: MAX_SLUG_BYTES - 9].decode(errors="ignore")  # no character is cut in two
    return f"{start}-{short_hash(unicodedata.normalize('NFC', text))}"


def is_safe(text: str) -> bool:
    """Return whether a text can be a clip's id as it stands.

    Example:
        >>> is_safe("hitting_bag"), is_safe("my dog"), is_safe("../x"), is_safe("")
        (True, False, False, False)
    """
    return bool(text) and len(text.encode(errors="replace")) <= MAX_ID_BYTES and _slug_of_any_length(text) == text


def short_hash(text: str) -> str:
    """Return eight hexadecimal digits that differ for different texts."""
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()[:8]


def _slug_of_any_length(text: str) -> str:
    safe: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        # A vowel sign of Hindi, an accent that has no letter of its own: only where it has something to sit on.
        accent = category in ("Mn", "Mc") and bool(safe) and safe[-1] not in "-_"
        safe.append(character if character in "_-" or category[0] in "LN" or accent else "-")
    return "".join(safe)
