"""Ways in which files break on disks and in transfers, drawn from a generator."""

import numpy as np


def flip_a_bit(data, draw):
    place = int(draw.integers(len(data)))
    return data[:place] + bytes([data[place] ^ (1 << int(draw.integers(8)))]) + data[place + 1 :]


def change_a_byte(data, draw):
    place = int(draw.integers(len(data)))
    return data[:place] + bytes([(data[place] + int(draw.integers(1, 256))) % 256]) + data[place + 1 :]


def cut_the_end(data, draw):
    return data[: int(draw.integers(len(data)))]


def cut_the_start(data, draw):
    return data[int(draw.integers(1, len(data) + 1)) :]


def lose_a_part(data, draw):
    first, last = np.sort(draw.choice(len(data) + 1, 2, replace=False))
    return data[:first] + data[last:]


def repeat_a_part(data, draw):
    first, last = np.sort(draw.choice(len(data) + 1, 2, replace=False))
    return data[:last] + data[first:last] + data[last:]


def zero_a_part(data, draw):
    first, last = np.sort(draw.choice(len(data) + 1, 2, replace=False))
    return data[:first] + bytes(last - first) + data[last:]


def add_to_the_end(data, draw):
    return data + draw.bytes(int(draw.integers(1, 64)))


def be_noise(data, draw):
    return draw.bytes(len(data))


def be_text(data, draw):
    return b'<!DOCTYPE html><html><body>"\x00' + bytes(int(draw.integers(32)))


KINDS = (
    *(flip_a_bit, change_a_byte, cut_the_end, cut_the_start, lose_a_part),
    *(repeat_a_part, zero_a_part, add_to_the_end, be_noise, be_text),
)


def damaged(data, draw, kind=None):
    """Return the data damaged in one way, by kind or at random; never the same data."""
    changed = data
    while changed == data:
        changed = (kind or KINDS[int(draw.integers(len(KINDS)))])(data, draw)
    return changed
