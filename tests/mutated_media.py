"""Good media files broken in one of several ways, as a bad disk, a bad line or a bad mind would."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

_BOX = re.compile(
    rb"moov|trak|mdia|minf|stbl|stsd|stts|stsc|stsz|stco|stss|ctts|elst|edts|mdhd|mvhd|tkhd|hdlr|mdat|avcC|esds|udta"
)
_EXTREMES = (0, 1, 2, 7, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 0x00010000, 0x3FFFFFFF)


def mutate(data: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """Return the name of what was done and the broken file."""
    names = sorted(MUTATIONS)
    name = names[int(rng.integers(len(names)))]
    changed = bytearray(data)
    MUTATIONS[name](changed, rng)
    return name, bytes(changed)


def _flip(data: bytearray, rng: np.random.Generator) -> None:
    for at in rng.integers(0, len(data), int(2 ** rng.uniform(0, 10))):
        data[at] ^= 1 << int(rng.integers(8))


def _flip_in_head(data: bytearray, rng: np.random.Generator) -> None:
    """Flip where the tables are: in front, or behind ``moov``."""
    start = max(0, data.find(b"moov"))
    for at in rng.integers(start, min(len(data), start + 4096), int(2 ** rng.uniform(0, 6))):
        data[at] = int(rng.integers(256))


def _truncate(data: bytearray, rng: np.random.Generator) -> None:
    del data[int(rng.integers(1, len(data))) :]


def _behead(data: bytearray, rng: np.random.Generator) -> None:
    del data[: int(rng.integers(1, len(data)))]


def _box_size(data: bytearray, rng: np.random.Generator) -> None:
    """Write another size in front of the name of a box; in a file without boxes, anywhere."""
    found = [match.start() - 4 for match in _BOX.finditer(data) if match.start() >= 4] or [int(rng.integers(len(data)))]
    for _ in range(int(rng.integers(1, 4))):
        _write(data, found[int(rng.integers(len(found)))], rng)


def _field(data: bytearray, rng: np.random.Generator) -> None:
    """Write an extreme number into a field of a box: a count, a time, a frame size."""
    found = [match.end() for match in _BOX.finditer(data)] or [0]
    for _ in range(int(rng.integers(1, 6))):
        _write(data, found[int(rng.integers(len(found)))] + 4 * int(rng.integers(0, 24)), rng)


def _write(data: bytearray, at: int, rng: np.random.Generator) -> None:
    random = rng.random() < 0.5
    value = int(rng.integers(2**32)) if random else _EXTREMES[int(rng.integers(len(_EXTREMES)))]
    data[at : at + 4] = value.to_bytes(4, "big")


def _chunk(data: bytearray, rng: np.random.Generator) -> slice:
    n = min(len(data) // 4, int(2 ** rng.uniform(4, 16)))
    start = int(rng.integers(0, max(1, len(data) - n)))
    return slice(start, start + n)


def _swap(data: bytearray, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(1, 6))):
        one = _chunk(data, rng)
        other = int(rng.integers(0, max(1, len(data) - (one.stop - one.start))))
        two = slice(other, other + one.stop - one.start)
        data[one], data[two] = data[two], data[one]


def _zero(data: bytearray, rng: np.random.Generator) -> None:
    where = _chunk(data, rng)
    data[where] = bytes(where.stop - where.start)


def _drop(data: bytearray, rng: np.random.Generator) -> None:
    del data[_chunk(data, rng)]


def _repeat(data: bytearray, rng: np.random.Generator) -> None:
    where = _chunk(data, rng)
    data[where.stop : where.stop] = bytes(data[where]) * int(rng.integers(1, 4))


def _insert(data: bytearray, rng: np.random.Generator) -> None:
    at = int(rng.integers(len(data)))
    data[at:at] = rng.bytes(int(2 ** rng.uniform(0, 14)))


MUTATIONS: dict[str, Callable[[bytearray, np.random.Generator], None]] = {
    "bits flipped": _flip,
    "bytes of the tables changed": _flip_in_head,
    "cut off": _truncate,
    "beginning lost": _behead,
    "sizes of boxes changed": _box_size,
    "extreme numbers in boxes": _field,
    "chunks swapped": _swap,
    "a chunk of zeros": _zero,
    "a chunk dropped": _drop,
    "a chunk repeated": _repeat,
    "noise inserted": _insert,
}
