"""Define the options of fetching, with polite defaults."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from foleybench.errors import FoleyError
from foleybench.runtime.extras import require_package

# yt-dlp's own advice against being blocked: ten seconds and more between two videos.
YOUTUBE_PAUSE_S = 10.0
MIRROR_PAUSE_S = 1.0
PLACE = "{video_id}"


def add_fetch_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--fetch`` and the options that control fetching."""
    fetch = parser.add_argument_group("fetching")
    fetch.add_argument("--fetch", action="store_true", help="fetch clips that are not under --from, through yt-dlp")
    fetch.add_argument(
        "--source-url-template",
        metavar="URL",
        help=f"fetch from a mirror: an address with {PLACE} in it, as in https://host/{PLACE}.mp4",
    )
    fetch.add_argument(
        "--pause",
        type=_not_negative,
        metavar="S",
        help=f"least seconds between two videos, up to twice as many are waited "
        f"(default: {YOUTUBE_PAUSE_S:g}, from a mirror {MIRROR_PAUSE_S:g})",
    )
    fetch.add_argument("--tries", type=_positive, default=3, metavar="N", help="tries for one clip (default: 3)")
    fetch.add_argument("--rate-limit", type=_size, metavar="BYTES", help="bytes a second and worker, as in 2M")
    fetch.add_argument("--socket-timeout", type=_positive, default=30, metavar="S", help="a transfer that stands still "
                       "this long has stalled (default: 30)")  # fmt: skip
    fetch.add_argument("--cookies", type=Path, metavar="FILE", help="cookie file for yt-dlp")
    fetch.add_argument("--cookies-from-browser", metavar="BROWSER", help="take the cookies of this browser")
    fetch.add_argument("--proxy", metavar="URL", help="proxy for yt-dlp")
    fetch.add_argument("--format", metavar="FORMAT", help="yt-dlp format (default: video of 256 to 480 lines)")


def net_of(options: argparse.Namespace) -> dict[str, Any] | None:
    """Return how to fetch, JSON values only, or None when fetching is not asked for.

    Raises:
        FoleyError: The template has no place for the id, the cookie file is missing, or yt-dlp is not installed.
    """
    template = options.source_url_template
    if not options.fetch and not template:
        return None
    require_package("yt_dlp", "fetching")
    if template and (PLACE not in template or not template.startswith(("http://", "https://"))):
        raise FoleyError(f"--source-url-template {template!r} must be an http address with {PLACE} in it.")
    if options.cookies and not options.cookies.is_file():
        raise FoleyError(f"no cookie file at {options.cookies}.")
    default_s = MIRROR_PAUSE_S if template else YOUTUBE_PAUSE_S
    return {
        "template": template or "",
        "pause_s": default_s if options.pause is None else options.pause,
        "tries": options.tries,
        "rate_limit": options.rate_limit,
        "socket_timeout_s": options.socket_timeout,
        "cookies": str(options.cookies.absolute()) if options.cookies else None,
        "cookies_from_browser": options.cookies_from_browser,
        "proxy": options.proxy,
        "format": options.format,
    }


def _not_negative(text: str) -> float:
    value = float(text)
    if not 0.0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


def _size(text: str) -> int:
    factor = {"K": 1000, "M": 1000**2, "G": 1000**3}.get(text[-1:].upper(), 1)
    value = int(float(text[:-1] if factor > 1 else text) * factor)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of bytes")
    return value
