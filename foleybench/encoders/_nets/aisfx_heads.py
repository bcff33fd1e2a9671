"""List aiSFX's class heads, in the order of its file.

Each was trained on one library of sound effects and has that library's categories. The first three follow the
Universal Category System; the names of the categories are not in the package.
"""

from __future__ import annotations

from itertools import accumulate

HEADS = (
    ("prosfx", 78),
    ("soundlyTrain", 79),
    ("ucsMixed", 69),
    ("soundstormBalanced", 81),
    ("productionelementsBalanced", 10),
    ("cartoonexpressBalanced", 27),
    ("hpxdigitalBalanced", 3),
    ("series6000Balanced", 23),
    ("series9000Balanced", 8),
)
_ENDS = tuple(accumulate(size for _, size in HEADS))
N_LOGITS = _ENDS[-1]
# The slice of each head in the logits of all.
PLACES = tuple(slice(end - size, end) for (_, size), end in zip(HEADS, _ENDS, strict=True))
N_UCS = 3
