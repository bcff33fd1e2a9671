"""Find clips that are copies of others, by bytes or fingerprint.

Three kinds of copy: ``exact`` (video and audio have the same bytes), ``near`` (both fingerprints of
``foleybench.prepare.normalise.fingerprint`` agree: the clip was scaled,
re-encoded, made quieter or cut a frame away), ``same_sound`` (only the audio agrees, under another video).

Not every clip is compared with every other: fingerprints are sorted by some of their bits, many times with other bits,
and clips that share these bits are compared in full. For n clips that is about 40 sorts of n keys, so the time grows as
n log n. A pair that differs in 10 % of its audio's bits is met with a probability over 99 % at 15,000 clips and at
200,000.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from foleybench.prepare.normalise.fingerprint import N_BITS, decode_fingerprint

# Chosen between what was seen of copies and of other clips. A small sample, ten clips of VAS, measured by
# `python benchmarks/duplicate_rates.py FOLDER --limit 1`: nine changes of one clip all found, audio off by at most
# 12.1 % of the bits and video by 3.1 %; no false match in 45 pairs of different clips: audio differs by at least 40 %,
# video by at least 32 %.
MOST_SOUND = 0.17
MOST_PICTURE = 0.20
MOST_SOUND_ALONE = 0.15
_N_TABLES = 40
_N_KEY_BITS = (12, 20)
# In a run of equal keys (hundreds of copies of one audio) each clip is compared with so many that follow.
_N_NEXT = 16

EXACT, NEAR, SAME_SOUND = "exact", "near", "same_sound"
_Indices = npt.NDArray[np.int64]


class Content(NamedTuple):
    """Hash and fingerprints of one clip's content; small, since there may be millions.

    Attributes:
        name: Id of the clip.
        bytes_key: Equal for clips whose video and audio have the same bytes; b"" for a clip that is not usable.
        audio: Fingerprint of the audio, b"" when it has none.
        video: Fingerprint of the video, b"" when it has none.
    """

    name: str
    bytes_key: bytes = b""
    sound: bytes = b""
    picture: bytes = b""


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


def content_of(record: dict[str, Any], name: str) -> Content:
    """Return the content of one line of a manifest.

    Raises:
        ValueError: A fingerprint is damaged.
    """
    if record["status"] != "ok":
        return Content(name)
    both = f"{record['video_sha256']} {record['audio_sha256']}"
    sound, picture = (record["facts"].get(key) for key in ("sound_print", "picture_print"))
    return Content(
        name,
        hashlib.sha256(both.encode()).digest()[:16],
        decode_fingerprint(sound).tobytes() if sound else b"",
        decode_fingerprint(picture).tobytes() if picture else b"",
    )


def find_copies(contents: Sequence[Content]) -> list[Copy]:
    """Find the copies in a list of clips.

    Args:
        contents: In the order asked for. Of two equal clips, the later one is the copy.

    Returns:
        At most two for each clip (one ``exact`` or ``near``, or one ``same_sound``), sorted by place in the list.
    """
    exact = dict(_equal(contents))
    near, same_sound = _print_pairs(contents)
    equal = np.array(list(exact.items()), dtype=np.int64).reshape(-1, 2)
    original = _firsts(len(contents), np.concatenate([equal, near]))
    first_sound = _firsts(len(contents), same_sound)
    found = []
    for index in np.flatnonzero((original != np.arange(len(contents))) | (first_sound != np.arange(len(contents)))):
        if original[index] != index:
            kind = EXACT if exact.get(int(index)) == original[index] else NEAR
            found.append(Copy(index=int(index), of=int(original[index]), kind=kind))
        else:
            found.append(Copy(index=int(index), of=int(first_sound[index]), kind=SAME_SOUND))
    return found


def _firsts(n: int, pairs: _Indices) -> _Indices:
    """Return for each of ``n`` clips the first of those that pairs join it with, directly or by others; shape (n,)."""
    # Late: scipy.sparse takes a fifth of a second to import.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(pairs):
        return np.arange(n)
    graph = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, group = connected_components(graph, directed=False)
    _, first, of_each = np.unique(group, return_index=True, return_inverse=True)
    return np.asarray(first[of_each], dtype=np.int64)


def _equal(contents: Sequence[Content]) -> Iterator[tuple[int, int]]:
    """Yield (later, first) for each clip whose bytes were there before."""
    first: dict[bytes, int] = {}
    for index, content in enumerate(contents):
        if content.bytes_key and first.setdefault(content.bytes_key, index) != index:
            yield index, first[content.bytes_key]


def _print_pairs(contents: Sequence[Content]) -> tuple[_Indices, _Indices]:
    """Return the pairs whose audio and video fingerprints agree, and those whose audio alone agrees, each (n, 2)."""
    places = np.array([k for k, content in enumerate(contents) if content.sound], dtype=np.int64)
    if len(places) < 2:
        return np.zeros((0, 2), dtype=np.int64), np.zeros((0, 2), dtype=np.int64)
    sounds = _stack([contents[k].sound for k in places])
    pictures = _stack([contents[k].picture or bytes(N_BITS // 8) for k in places])
    has_picture = np.array([bool(contents[k].picture) for k in places])
    near, same_sound = set[int](), set[int]()
    for first, second in _candidates(sounds):
        sound = _differences(sounds, first, second)
        picture = _differences(pictures, first, second)
        both = (sound <= MOST_SOUND) & (picture <= MOST_PICTURE) & (has_picture[first] == has_picture[second])
        pairs = first * len(places) + second
        near.update(pairs[both].tolist())
        same_sound.update(pairs[~both & (sound <= MOST_SOUND_ALONE)].tolist())
    return _unfolded(near, places), _unfolded(same_sound, places)


def _unfolded(pairs: set[int], places: _Indices) -> _Indices:
    folded = np.array(sorted(pairs), dtype=np.int64)
    return np.stack([places[folded // len(places)], places[folded % len(places)]], axis=1)


def _stack(fingerprints: Sequence[bytes]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(fingerprints), dtype=np.uint8).reshape(len(fingerprints), N_BITS // 8)


def _candidates(fingerprints: npt.NDArray[np.uint8]) -> Iterator[tuple[_Indices, _Indices]]:
    """Yield pairs (lower index, higher index) that share the bits of a table's key, table by table."""
    n_bits = min(max(_N_KEY_BITS[0], len(fingerprints).bit_length()), _N_KEY_BITS[1])
    for table in range(_N_TABLES):
        keys = np.zeros(len(fingerprints), dtype=np.int64)
        for place, bit in enumerate(_chosen_bits(table, n_bits)):
            keys |= (fingerprints[:, bit >> 3].astype(np.int64) >> (7 - (bit & 7)) & 1) << place
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        for step in range(1, min(_N_NEXT, len(order) - 1) + 1):
            equal = np.flatnonzero(ordered[:-step] == ordered[step:])
            if not len(equal):
                break
            # A stable sort keeps equal keys in the order asked for: the first of a pair is the earlier clip.
            yield order[equal], order[equal + step]


def _chosen_bits(table: int, n_bits: int) -> _Indices:
    """Return which bits make a table's key: different bits in each table, the same in every run."""
    data = np.frombuffer(hashlib.shake_256(f"foleybench table {table}".encode()).digest(2 * N_BITS), dtype=np.uint16)
    return np.argsort(data, kind="stable")[:n_bits].astype(np.int64)


def _differences(fingerprints: npt.NDArray[np.uint8], first: _Indices, second: _Indices) -> npt.NDArray[np.float64]:
    differ = np.unpackbits(fingerprints[first] ^ fingerprints[second], axis=1)
    return np.asarray(differ.sum(axis=1, dtype=np.float64) / N_BITS)
