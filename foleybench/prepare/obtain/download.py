"""Download a whole video through yt-dlp.

Downloads keep a polite pace, and further tries wait as the server asks. Why the whole file: for a range, yt-dlp hands
the address to an ffmpeg program, which copies packets from the keyframe before the asked second and leaves the rest to
the container (an edit list, in MP4 only); resuming, the rate limit and errors of yt-dlp do not apply there. Measured on
a clap-and-flash MP4 with keyframes eight seconds apart, ffmpeg 9.0: five ranges began up to 28 ms off, cuts of the
whole file up to 10 ms, which is the grid of the measurement. The price is traffic: a video of some minutes for a clip
of ten seconds.
"""

from __future__ import annotations

import contextlib
import logging
import random
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yt_dlp
import yt_dlp.version
from yt_dlp.utils import YoutubeDLError

from foleybench.errors import MediaError
from foleybench.prepare.obtain.faults import AGAIN, FetchError, explain, no_room
from foleybench.prepare.obtain.join import join
from foleybench.prepare.obtain.pace import Pace
from foleybench.prepare.obtain.scratch import scratch_folder
from foleybench.prepare.obtain.settings import PLACE
from foleybench.prepare.waiting import wait

WATCH = f"https://www.youtube.com/watch?v={PLACE}"
# One file with both, else video and audio apart; enough lines for a short side of 256, and not many more. Two formats
# at once are not yt-dlp's `bv+ba`, which leaves joining to an ffmpeg program, nor its `(bv,ba)`, which is content with
# one of them.
FORMATS = (
    ("b[height>=?256][height<=?480]",),
    ("bv[height>=256][height<=480]", "ba"),
    ("b[height>=256]",),
    ("bv[height>=256]", "ba"),
    ("b",),
    ("bv", "ba"),
)
# A server that asks for more is left alone until a later run.
LONGEST_WAIT_S = 300.0
_FIRST_BACKOFF_S = 2.0


@contextlib.contextmanager
def download(video_id: str, net: Mapping[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Download a video; the file is gone after the ``with`` block.

    Args:
        video_id: Eleven letters, digits, ``-`` and ``_``.
        net: See ``foleybench.prepare.obtain.settings.net_of``.

    Yields:
        The file, and facts for the manifest.

    Raises:
        FetchError: The video cannot be had.
    """
    address = (net["template"] or WATCH).replace(PLACE, video_id)
    pace = Pace(urllib.parse.urlsplit(address).hostname or "", net["pause_s"])
    with scratch_folder() as folder:
        info = _with_tries(address, net, folder, pace)
        path = _one_file(folder)
        yield path, {"yt_dlp": yt_dlp.version.__version__, "format": info["format"]}


def _with_tries(address: str, net: Mapping[str, Any], folder: Path, pace: Pace) -> dict[str, str]:
    for n_tried in range(1, net["tries"] + 1):
        pace.wait_for_turn()
        try:
            return _fetch(address, net, folder)
        except FetchError as error:
            backoff_s = _FIRST_BACKOFF_S * 4 ** (n_tried - 1) * random.uniform(1.0, 1.5)
            wait_s = backoff_s if error.retry_after_s is None else error.retry_after_s
            if error.status == "rate_limited":
                # All workers on this machine wait: the server counts addresses, not workers.
                pace.hold(min(wait_s, LONGEST_WAIT_S))
            if error.status not in AGAIN or n_tried == net["tries"] or wait_s > LONGEST_WAIT_S:
                raise
            wait(wait_s if error.status != "rate_limited" else 0.0)
    raise AssertionError("the last try returns or raises")


def _fetch(address: str, net: Mapping[str, Any], folder: Path) -> dict[str, str]:
    try:
        with yt_dlp.YoutubeDL(_options(net, folder)) as downloader:
            if not net["format"]:
                downloader.format_selector = format_selector(downloader)
            info = downloader.extract_info(address)
    except (YoutubeDLError, OSError) as error:
        if full := no_room(error):
            raise OSError(full.errno, full.strerror, str(folder)) from error
        raise explain(error) from error
    if not isinstance(info, dict) or info.get("_type", "video") != "video":
        raise FetchError("no_video_there", "the address holds no single video")
    parts = info.get("requested_downloads") or [info]
    return {"format": "+".join(str(part.get("format_id")) for part in parts)}


def format_selector(downloader: yt_dlp.YoutubeDL) -> Callable[[Any], Iterator[Any]]:
    """Return what picks the first of ``FORMATS`` of which every part is there; nothing when none is."""

    def select(context: Any) -> Iterator[Any]:
        for parts in FORMATS:
            picked = [list(downloader.build_format_selector(part)(context))[:1] for part in parts]
            if all(picked):
                yield from (found[0] for found in picked)
                return

    return select


def _options(net: Mapping[str, Any], folder: Path) -> Any:
    browser = net["cookies_from_browser"]
    return {
        "format": net["format"] or "b/bv,ba",
        # No part of a title or an id gets into a file name.
        "outtmpl": {"default": str(folder / "source.%(autonumber)s.%(ext)s")},
        "overwrites": True,
        "allowed_extractors": ["generic"] if net["template"] else ["youtube"],
        "noplaylist": True,
        "quiet": True,
        "noprogress": True,
        "no_warnings": True,
        "logger": _silent(),
        "fixup": "never",
        "cachedir": False,
        "retries": 2,
        "fragment_retries": 5,
        "extractor_retries": 0,
        "retry_sleep_functions": {"http": lambda n: min(2.0**n, 10.0), "fragment": lambda n: min(2.0**n, 10.0)},
        "socket_timeout": net["socket_timeout_s"],
        "ratelimit": net["rate_limit"],
        "cookiefile": net["cookies"],
        "cookiesfrombrowser": (browser,) if browser else None,
        "proxy": net["proxy"],
    }


def _silent() -> logging.Logger:
    """Return a silent logger: yt-dlp's errors hold its messages."""
    logger = logging.getLogger("foleybench.yt_dlp")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger


def _one_file(folder: Path) -> Path:
    files = sorted(path for path in folder.glob("source.*") if not path.name.endswith((".part", ".ytdl")))
    if not files:
        raise MediaError("fetch_failed", "yt-dlp ended without an error and without a file")
    if len(files) == 1:
        return files[0]
    return join(files[0], files[1], folder / "joined.mkv")
