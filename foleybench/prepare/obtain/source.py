"""Get one clip's media as a file, with its origin."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from foleybench.errors import MediaError
from foleybench.lists.read import shown_text
from foleybench.media.plain_file import require_file


class Source(NamedTuple):
    """A media file that holds a clip.

    Attributes:
        path: The file; a downloaded one is gone after the ``with`` block.
        cut_s: Where the clip starts in the file, in seconds.
        facts: Origin of the file for the manifest, without paths or addresses with secrets.
    """

    path: Path
    cut_s: float
    facts: dict[str, Any]


@contextlib.contextmanager
def obtained(video_id: str, start_s: float, access: Mapping[str, Any]) -> Iterator[Source]:
    """Get the media of a clip.

    Args:
        video_id: The eleven characters of the video.
        start_s: Where the clip starts in it.
        access: ``{"path", "cut_s"}`` for a file, ``{"net": {...}}`` to download, empty when neither is wanted.

    Raises:
        MediaError: The media cannot be read; ``not_here`` when there is no file and no download was asked for.
    """
    if failure := absence(access):
        raise MediaError(*failure)
    if "path" in access:
        path = Path(access["path"])
        if path.exists():
            require_file(path)
        else:
            raise MediaError("missing", f"{shown_text(path.name)} was there when the run began, and is missing now")
        facts = {"way": "file" if access["cut_s"] == 0.0 else "whole_file", "file": shown_text(path.name)}
        yield Source(path, access["cut_s"], {**facts, **described(path)})
    else:
        # yt-dlp takes a second to import, and is not wanted for files.
        from foleybench.prepare.obtain.download import download

        with download(video_id, access["net"]) as (path, facts):
            yield Source(path, start_s, {"way": "yt_dlp", **facts, **described(path)})


def absence(access: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the status and reason of a clip with neither a file nor a wish to download it; None for any other."""
    if "path" in access or "net" in access:
        return None
    return "not_here", "no file of this clip under --from, and --fetch was not given"


def described(path: Path) -> dict[str, Any]:
    """Return the size and SHA-256 of a source file."""
    with path.open("rb") as handle:
        return {"n_bytes": path.stat().st_size, "sha256": hashlib.file_digest(handle, "sha256").hexdigest()}
