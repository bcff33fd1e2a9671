"""Turn yt-dlp's errors into statuses.

A status is one word that tells whether another try may help. It is found from the type of the error and the HTTP status
where there is one, else by YouTube's own sentences as they stand in yt-dlp@81ecd58
``yt_dlp/extractor/youtube/_video.py`` and in its issue threads.
"""

from __future__ import annotations

import email.utils
import http.client
import re
import time
from collections.abc import Iterator, Sequence

from yt_dlp.networking.exceptions import HTTPError, IncompleteRead, TransportError
from yt_dlp.utils import ContentTooShortError, GeoRestrictedError

from foleybench.errors import NO_ROOM, MediaError
from foleybench.lists.read import shown_text

# In this order: a sentence of a later row may also stand in a message of an earlier one.
_SENTENCES = (
    ("bot_check", ("not a bot", "captcha", "unusual traffic")),
    ("rate_limited", ("rate-limited", "try again later", "too many requests", "request limit", "quota exceeded")),
    ("client_refused", ("not available on this app", "page needs to be reloaded", "player response",
                        "latest version of youtube", "only images are available")),
    ("age_limited", ("confirm your age", "age-restricted", "inappropriate for some users")),
    ("region_blocked", ("in your country", "geo restriction", "geo-restricted", "from your location")),
    ("private", ("private video", "video is private")),
    ("members_only", ("members-only", "join this channel", "requires payment", "rental")),
    ("not_yet", ("premieres in", "live event will begin", "is upcoming")),
    ("drm_protected", ("drm protected", "drm-protected")),
    ("no_format", ("requested format is not available", "no video formats found")),
    ("removed", ("video unavailable", "no longer available", "has been removed", "been terminated", "copyright claim",
                 "not available", "isn't available anymore", "does not exist", "account has been closed")),
    ("no_video_there", ("unsupported url",)),
    ("truncated", ("bytes read", "more expected", "downloaded bytes")),
    ("stalled", ("timed out", "timeout")),
)  # fmt: skip
_ADDRESS = re.compile(r"\w+://\S+")
_HTTP = {401: "private", 403: "forbidden", 404: "removed", 410: "removed", 429: "rate_limited", 451: "region_blocked"}

# Messages of these statuses differ from try to try (bytes, ports); the manifest needs the same text each time.
_REASONS = {
    "truncated": "the transfer ended before the whole file was there, also when it was resumed",
    "stalled": "the transfer stood still for longer than --socket-timeout",
    "unreachable": "the server cannot be reached",
}

# Another try in the same run may help.
AGAIN = frozenset({"rate_limited", "server_error", "stalled", "truncated", "unreachable"})


class FetchError(MediaError):
    """A video could not be downloaded.

    Attributes:
        retry_after_s: How long the server asks to wait, or None.
    """

    def __init__(self, status: str, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(status, reason)
        self.retry_after_s = retry_after_s


def explain(error: BaseException) -> FetchError:
    """Return the status for an error of yt-dlp."""
    chain = list(_chain(error))
    text = " ".join(str(one) for one in chain).replace("\u2019", "'").lower()
    answer = next((one for one in chain if isinstance(one, HTTPError)), None)
    if answer is not None and answer.status != 200:
        return _from_http(answer)
    status = _from_type(chain) or _from_text(text)
    if status is None:
        network = any(isinstance(one, TransportError | OSError) for one in chain)
        status = "unreachable" if network else "fetch_failed"
    return FetchError(status, _REASONS.get(status) or shown_text(_plain(chain[0])))


def no_room(error: BaseException) -> OSError | None:
    """Return the full disk (or quota, or limit) behind an error of yt-dlp, no fault of the video; or None."""
    return next((one for one in _chain(error) if isinstance(one, OSError) and one.errno in NO_ROOM), None)


def _from_type(chain: Sequence[BaseException]) -> str | None:
    if any(isinstance(one, GeoRestrictedError) for one in chain):
        return "region_blocked"
    if any(isinstance(one, IncompleteRead | ContentTooShortError | http.client.IncompleteRead) for one in chain):
        return "truncated"
    return None


def _from_text(text: str) -> str | None:
    for status, sentences in _SENTENCES:
        if any(sentence in text for sentence in sentences):
            return status
    return None


def _plain(error: BaseException) -> str:
    """Return a message without yt-dlp's marks and without addresses, which may hold secrets and ports."""
    text = _ADDRESS.sub("the address", str(error).replace("\r", ""))
    return text.removeprefix("ERROR: ").strip()


def _from_http(error: HTTPError) -> FetchError:
    status = _HTTP.get(error.status, "server_error" if error.status >= 500 else "fetch_failed")
    after_s = _seconds(error.response.headers.get("Retry-After"))
    return FetchError(status, f"the server answers {error.status}", after_s)


def _seconds(text: str | None) -> float | None:
    """Read a Retry-After header: seconds, or a date."""
    if not text:
        return None
    if text.strip().isdecimal():
        return float(text)
    date = email.utils.parsedate_tz(text)
    return max(0.0, email.utils.mktime_tz(date) - time.time()) if date else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its chain of causes, each once."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        info = getattr(one, "exc_info", None)
        waiting += [getattr(one, "cause", None), info[1] if info else None, one.__cause__, one.__context__]
