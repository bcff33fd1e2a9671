"""Errors that a user can fix, and their exit codes.

Everything that is not a ``FoleyError`` is a bug of ours and propagates with its traceback.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

# Of more known names than this, a message shows only the nearest.
_MOST_KNOWN = 60
_MOST_NEAR = 5

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_PARTIAL = 3
EXIT_STALE = 4
EXIT_INTERRUPTED = 130

# Error numbers of a place that takes no more: full, over a quota or a limit of size, read-only.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})


class FoleyError(Exception):
    """Something the user can fix: the message says what happened, the value, and what to do next."""

    exit_code = EXIT_ERROR


def why(error: OSError) -> str:
    """Return what the operating system says, in a few words, without number and file name.

    Example:
        >>> why(FileNotFoundError(2, "No such file or directory", "a.json"))
        'no such file or directory'
    """
    words = error.strerror or str(error) or type(error).__name__
    return words[:1].lower() + words[1:]


class UnknownNameError(FoleyError):
    """A metric, dataset, encoder, protocol, model or option value that does not exist."""

    exit_code = EXIT_USAGE


class WeightsMissingError(FoleyError):
    """Pretrained weights that are not on this machine; the message names the command that gets them."""


class WrongWeightsError(FoleyError):
    """A file of weights that is there, and is not what it should be."""


class ManifestError(FoleyError):
    """A manifest or shard that does not follow its schema, or does not agree with its recorded hash."""


class ResultError(FoleyError):
    """A result file that does not follow its schema."""


class MediaError(FoleyError):
    """One media file that cannot be used.

    Attributes:
        status: One word, as written in the manifest (``no_audio``, ``undecodable``, ``timeout`` ...).
        reason: A sentence for a person, naming the cause.
    """

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason

    def __reduce__(self) -> tuple[type[MediaError], tuple[str, str]]:
        """Survive the trip from a worker process, where the default would call ``__init__`` with one argument."""
        return type(self), (self.status, self.reason)


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return the message for a name that does not exist, with the nearest ones; of many known names only these."""
    choices = sorted(known)
    close = difflib.get_close_matches(name, choices, n=_MOST_NEAR)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    if len(choices) <= _MOST_KNOWN:
        return f"there is no {what} {name!r}.{hint} Known: {', '.join(choices)}."
    few = close or choices[:_MOST_NEAR]
    return f"there is no {what} {name!r}.{hint} {len(choices)} are known, as {', '.join(map(repr, few))}."
