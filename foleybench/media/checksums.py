"""Hold a file against the checksums that its container keeps.

Ogg has one on every page, and numbers its pages; Matroska has one on every element that its writer gave one (FFmpeg
does, also on the clusters that hold the sound; WebM has none). FFmpeg passes over what fails, so that a sound becomes
shorter or another one without a word. MP4, AVI, WAV and MP3 keep no checksum of what is heard.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# A clip is cut from a larger file; reading all of that for a part of it would cost more than the part.
MAX_BYTES = 64 << 20
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_PAGE_HEAD = 27
_LAST_PAGE = 4
_SEGMENT, _CRC = 0x18538067, 0xBF
# EBML head, and what lies in a segment: seek head, info, tracks, cues, tags, chapters, attachments, clusters, padding.
_MASTERS = frozenset(
    {0x1A45DFA3, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1254C367, 0x1043A770, 0x1941A469, 0x1F43B675}
)
_PLAIN = frozenset({0xEC, _CRC})


def checksum_damage(path: Path, container: str) -> str | None:
    """Return what a file's own checksums say is damaged, in words; None when nothing is, or there are none.

    Args:
        path: The file.
        container: FFmpeg's name for its format.
    """
    check = _CHECKS.get(container)
    if check is None or path.stat().st_size > MAX_BYTES:
        return None
    return check(path.read_bytes())


def _ogg_damage(data: bytes) -> str | None:
    """Count pages that fail, and those that are missing by their numbers; a stream whose last page is gone was cut."""
    n_bad = n_missing = 0
    numbers: dict[int, int] = {}
    ended: dict[int, bool] = {}
    at = good_until = 0
    while (start := data.find(b"OggS", at)) >= 0:
        page = _page(data, start)
        if page is None:
            at = start + 4
            continue
        serial, number, is_last, at = page
        n_bad += start > good_until
        good_until = at
        n_missing += max(0, number - numbers.get(serial, number - 1) - 1)
        numbers[serial], ended[serial] = number, is_last
    n_bad += good_until < len(data)
    said = [f"it holds {n_bad} stretches that are no page with a right checksum"] * (n_bad > 0)
    said += [f"{n_missing} pages are missing"] * (n_missing > 0)
    said += ["its last page is missing"] * (not all(ended.values()))
    return f"the Ogg file is damaged: {', '.join(said)}" if said else None


def _page(data: bytes, start: int) -> tuple[int, int, bool, int] | None:
    """Return stream, number, whether it is the stream's last, and the end of a page; None when it is not whole."""
    head = data[start : start + _PAGE_HEAD]
    if len(head) < _PAGE_HEAD:
        return None
    lengths = data[start + _PAGE_HEAD : start + _PAGE_HEAD + head[26]]
    end = start + _PAGE_HEAD + head[26] + sum(lengths)
    page = data[start:end]
    if len(lengths) < head[26] or len(page) < end - start:
        return None
    if _ogg_crc(page[:22] + bytes(4) + page[26:]) != int.from_bytes(head[22:26], "little"):
        return None
    serial, number = (int.from_bytes(head[k : k + 4], "little") for k in (14, 18))
    return serial, number, bool(head[5] & _LAST_PAGE), end


def _ogg_crc(data: bytes) -> int:
    """Return Ogg's CRC-32: that of zlib with the bits of every byte turned round, and nothing inverted.

    Example:
        >>> hex(_ogg_crc(b"123456789"))
        '0x89a1897f'
    """
    turned = zlib.crc32(data.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{turned:032b}"[::-1], 2)


class _Element(NamedTuple):
    name: int
    start: int
    end: int


def _matroska_damage(data: bytes) -> str | None:
    """Check every element that has a checksum, and that the file is as long as its elements say."""
    n_checked = n_bad = 0
    for element in _top_elements(data):
        if element.end > len(data):
            return f"the Matroska file is cut: {element.end} bytes are stated, {len(data)} are there"
        if element.name not in _MASTERS | _PLAIN:
            broken = n_checked > 0
            return f"the Matroska file is damaged at byte {element.start}" if broken else None
        stored = data[element.start : element.start + 6]
        if element.name in _MASTERS and stored[:2] == b"\xbf\x84":
            n_checked += 1
            n_bad += zlib.crc32(data[element.start + 6 : element.end]) != int.from_bytes(stored[2:], "little")
    if n_bad:
        return f"the Matroska file is damaged: {n_bad} of {n_checked} elements fail their checksum"
    return None


def _top_elements(data: bytes) -> Iterator[_Element]:
    """Yield the elements of the file and of its segment, up to one of unknown length."""
    at = 0
    while at < len(data):
        name, after_name = _number(data, at, keep_mark=True)
        length, start = _number(data, after_name, keep_mark=False)
        is_known = length != (1 << 7 * (start - after_name)) - 1
        if name == _SEGMENT and (not is_known or start + length <= len(data)):
            at = start
            continue
        if not is_known:
            return
        yield _Element(name, start, start + length)
        at = start + length


def _number(data: bytes, at: int, *, keep_mark: bool) -> tuple[int, int]:
    """Return an EBML number and where it ends; 0 for what is none."""
    first = data[at] if at < len(data) else 0
    n_bytes = 9 - first.bit_length()
    value = int.from_bytes(data[at : at + n_bytes], "big")
    return (value if keep_mark else value & ((1 << 7 * n_bytes) - 1)), at + max(1, n_bytes)


_CHECKS = {"ogg": _ogg_damage, "matroska,webm": _matroska_damage}
