"""Which clips are copies of others: by their bytes, or by their prints (``foleybench.prints``).

Three kinds: ``exact`` (picture and sound have the same bytes), ``near`` (both prints agree: the clip was scaled,
re-encoded, made quieter or cut a frame away), ``same_sound`` (only the sound agrees, under another picture).

Never every clip with every other: prints are sorted by some of their bits, many times with other bits, and clips that
share these bits are compared in full. For n clips that is about 40 sorts of n keys, so the time grows as n log n.
A pair that differs in 10 % of its sound's bits is met with a probability over 99 % at 15,000 clips and at 200,000.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from foleybench.prints import N_BITS, decode_print

# Measured on real clips (benchmarks/duplicate_rates.py): copies differ in up to 10 % of the bits of their sound (22 %
# when cut 60 ms away), halves of one clip and other clips in 21 % and more; pictures of one scene in up to 10 %.
MOST_SOUND = 0.17
MOST_PICTURE = 0.20
MOST_SOUND_ALONE = 0.15
_N_TABLES = 40
_N_KEY_BITS = (12, 20)
# In a run of equal keys (hundreds of copies of one sound) each clip is compared with so many that follow.
_N_NEXT = 64

EXACT, NEAR, SAME_SOUND = "exact", "near", "same_sound"
_Indices = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Content:
    """What is known of one clip's content.

    Attributes:
        name: Id of the clip.
        sha256: Of its picture and its sound.
        sound: Print of the sound, or None.
        picture: Print of the picture, or None.
    """

    name: str
    sha256: tuple[str, str]
    sound: str | None = None
    picture: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Copy:
    """One clip is a copy of another that stands before it.

    Attributes:
        index: The copy's place in the list.
        of: The place of the first of its like.
        kind: ``exact``, ``near`` or ``same_sound``.
    """

    index: int
    of: int
    kind: str


def content_of(name: str, sha256: dict[str, str | None], facts: dict[str, Any]) -> Content:
    """Return a clip's content from its hashes (``mp4``, ``flac``) and its facts."""
    return Content(
        name=name,
        sha256=(sha256.get("mp4") or "", sha256.get("flac") or ""),
        sound=facts.get("sound_print"),
        picture=facts.get("picture_print"),
    )


def find_copies(contents: Sequence[Content]) -> list[Copy]:
    """Find the copies in a list of clips.

    Args:
        contents: In the order asked for. A clip is the copy, never the original, of what stands before it.

    Returns:
        At most two for each clip (one ``exact`` or ``near``, or one ``same_sound``), by place; the same for the same
        list.
    """
    copies, sounds = _Groups(len(contents)), _Groups(len(contents))
    exact = dict(_equal([content.sha256 for content in contents]))
    for later, earlier in exact.items():
        copies.join(earlier, later)
    for earlier, later, is_near in _print_pairs(contents):
        (copies if is_near else sounds).join(earlier, later)
    found = []
    for index in range(len(contents)):
        first = copies.first(index)
        if first != index:
            found.append(Copy(index=index, of=first, kind=EXACT if index in exact else NEAR))
        elif sounds.first(index) != index:
            found.append(Copy(index=index, of=sounds.first(index), kind=SAME_SOUND))
    return found


class _Groups:
    """Sets that are joined; each is named by its first member."""

    def __init__(self, n: int) -> None:
        self._above = list(range(n))

    def first(self, index: int) -> int:
        while self._above[index] != index:
            self._above[index] = self._above[self._above[index]]
            index = self._above[index]
        return index

    def join(self, a: int, b: int) -> None:
        low, high = sorted((self.first(a), self.first(b)))
        self._above[high] = low


def _equal(keys: Sequence[tuple[str, str]]) -> Iterator[tuple[int, int]]:
    """Yield (later, first) for each key that was there before; empty keys equal nothing."""
    first: dict[tuple[str, str], int] = {}
    for index, key in enumerate(keys):
        if all(key) and first.setdefault(key, index) != index:
            yield index, first[key]


def _print_pairs(contents: Sequence[Content]) -> Iterator[tuple[int, int, bool]]:
    """Yield (earlier, later, whether the picture agrees too) for each pair whose sounds agree."""
    places = [k for k, content in enumerate(contents) if content.sound is not None]
    if len(places) < 2:
        return
    sounds = np.stack([decode_print(contents[k].sound or "") for k in places])
    pictures = np.stack([decode_print(contents[k].picture or "A" * 43 + "=") for k in places])
    has_picture = np.array([contents[k].picture is not None for k in places])
    for first, second in _candidates(sounds):
        sound = _differences(sounds, first, second)
        picture = _differences(pictures, first, second)
        near = (sound <= MOST_SOUND) & (picture <= MOST_PICTURE) & (has_picture[first] == has_picture[second])
        for i in np.flatnonzero(near | (sound <= MOST_SOUND_ALONE)):
            yield places[first[i]], places[second[i]], bool(near[i])


def _candidates(prints: npt.NDArray[np.uint8]) -> Iterator[tuple[_Indices, _Indices]]:
    """Yield pairs (lower index, higher index) that share the bits of a table's key, table by table."""
    n_bits = min(max(_N_KEY_BITS[0], len(prints).bit_length()), _N_KEY_BITS[1])
    bits = np.unpackbits(prints, axis=1)
    for table in range(_N_TABLES):
        chosen = bits[:, _chosen_bits(table, n_bits)].astype(np.int64)
        keys = chosen @ (1 << np.arange(n_bits, dtype=np.int64))
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        for step in range(1, min(_N_NEXT, len(order) - 1) + 1):
            equal = np.flatnonzero(ordered[:-step] == ordered[step:])
            if not len(equal):
                break
            # A stable sort keeps equal keys in the order asked for: the first of a pair is the earlier clip.
            yield order[equal], order[equal + step]


def _chosen_bits(table: int, n_bits: int) -> _Indices:
    """Return which bits make a table's key: fixed for ever, other ones in each table."""
    data = np.frombuffer(hashlib.shake_256(f"foleybench table {table}".encode()).digest(2 * N_BITS), dtype=np.uint16)
    return np.argsort(data, kind="stable")[:n_bits].astype(np.int64)


def _differences(prints: npt.NDArray[np.uint8], first: _Indices, second: _Indices) -> npt.NDArray[np.float64]:
    return np.unpackbits(prints[first] ^ prints[second], axis=1).sum(axis=1) / N_BITS
