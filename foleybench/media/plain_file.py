"""Open regular files only.

Opening a pipe waits for a writer; reading a device never ends.
"""

from __future__ import annotations

import stat
from pathlib import Path

from foleybench.errors import MediaError, why

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def other_kind(mode: int) -> str:
    """Return the kind of a file of this mode when it is not a regular file, "" when it is one.

    Example:
        >>> other_kind(0o010644), other_kind(0o100644)
        ('a pipe', '')
    """
    if stat.S_ISREG(mode):
        return ""
    return next((words for is_so, words in _KINDS if is_so(mode)), "no regular file")


def require_file(path: Path) -> int:
    """Return the size of a regular file in bytes, without opening it.

    Raises:
        MediaError: ``missing``, ``unreadable`` (no permission on the way), or ``not_a_file``.
    """
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise MediaError("missing", "there is no such file") from error
    except (OSError, ValueError) as error:
        words = why(error) if isinstance(error, OSError) else str(error)
        raise MediaError("unreadable", f"the file's size and kind cannot be read: {words}") from error
    if kind := other_kind(found.st_mode):
        raise MediaError("not_a_file", f"{kind}, not a regular file")
    return found.st_size
