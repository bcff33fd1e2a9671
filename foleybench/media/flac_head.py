"""Read the rate that a FLAC file's first frame states.

The MD5 in the head of the file covers the samples alone; libsndfile takes the rate from the head, and every frame
states it again. The two differ only where the head is damaged.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

# Of the code in a frame's head, RFC 9639 section 9.1.2; 0 means as in the file's head.
_RATES_HZ = (0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
_IN_KHZ, _IN_HZ, _IN_TENS = 12, 13, 14
_MOST_BLOCKS = 1000


def frame_rate_hz(path: Path) -> int | None:
    """Return the rate in Hz that the first frame states; None where it states none, or none is found."""
    with path.open("rb") as handle:
        if handle.read(4) != b"fLaC":
            return None
        for _ in range(_MOST_BLOCKS):
            head = handle.read(4)
            if len(head) < 4:
                return None
            handle.seek(int.from_bytes(head[1:], "big"), 1)
            if head[0] & 0x80:
                return _rate_of_frame(handle)
    return None


def _rate_of_frame(handle: IO[bytes]) -> int | None:
    head = handle.read(16)
    if len(head) < 16 or head[0] != 0xFF or head[1] & 0xFC != 0xF8:
        return None
    size_code, rate_code = head[2] >> 4, head[2] & 0x0F
    # The number of the frame, coded as UTF-8 is: as many bytes as the first has ones in front.
    n_number = max(1, 8 - (head[4] ^ 0xFF).bit_length())
    at = 4 + n_number + {6: 1, 7: 2}.get(size_code, 0)
    if rate_code == _IN_KHZ:
        return 1000 * head[at]
    if rate_code in (_IN_HZ, _IN_TENS):
        return int.from_bytes(head[at : at + 2], "big") * (10 if rate_code == _IN_TENS else 1)
    return _RATES_HZ[rate_code] or None if rate_code < _IN_KHZ else None
