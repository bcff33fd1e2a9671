"""Open a published list by path or by address.

The file at an address is fetched once, and kept in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

from foleybench.errors import FoleyError
from foleybench.files import write_atomically

_TIMEOUT_S = 60.0
_MAX_BYTES = 500 * 1000**2


def located(where: str) -> Path:
    """Return the path of a list given as a path, or as an http or https address.

    Raises:
        FoleyError: The address cannot be fetched.
    """
    if not where.startswith(("http://", "https://")):
        return Path(where)
    name = f"{hashlib.sha256(where.encode()).hexdigest()[:16]}.{where.rpartition('.')[2][:8]}"
    path = cache_folder() / name
    if not path.is_file():
        write_atomically(path, _fetch(where))
        sys.stderr.write(f"fetched {where}: {path.stat().st_size} bytes, kept as {path}\n")
    return path


def cache_folder() -> Path:
    """Return the folder of fetched lists."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "foleybench" / "lists"


def _fetch(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - located() checks the scheme
            data: bytes = answer.read(_MAX_BYTES + 1)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise FoleyError(f"{address} cannot be fetched: {error}. Fetch it yourself and give its path.") from error
    if len(data) > _MAX_BYTES:
        raise FoleyError(f"{address} is larger than {_MAX_BYTES} bytes; that is no list of clips.")
    return data
