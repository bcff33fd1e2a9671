"""yt-dlp's errors as words, and the pace at which a site is asked."""

from __future__ import annotations

import errno
import io
import os
import time
from pathlib import Path

import pytest
import yt_dlp
from yt_dlp.networking import Response
from yt_dlp.networking.exceptions import HTTPError, IncompleteRead, TransportError
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError

from foleybench.errors import FoleyError
from foleybench.prepare import parse_options
from foleybench.prepare.obtain.download import _fetch
from foleybench.prepare.obtain.faults import explain
from foleybench.prepare.obtain.pace import Pace
from foleybench.prepare.obtain.scratch import scratch_folder
from foleybench.prepare.obtain.settings import net_of


@pytest.mark.parametrize(
    ("sentence", "status"),
    [
        ("Sign in to confirm you\u2019re not a bot. Use --cookies-from-browser", "bot_check"),
        ("This content isn't available, try again later. The current session has been rate-limited", "rate_limited"),
        ("Sign in to confirm your age. This video may be inappropriate for some users.", "age_limited"),
        ("Private video. Sign in if you've been granted access to this video", "private"),
        ("Video unavailable. This video has been removed by the uploader", "removed"),
        ("This video is no longer available because the account has been terminated.", "removed"),
        ("Video unavailable. The uploader has not made this video available in your country", "region_blocked"),
        ("Join this channel to get access to members-only content like this video", "members_only"),
        ("This live event will begin in 3 days.", "not_yet"),
        ("Requested format is not available", "no_format"),
        ("The following content is not available on this app.", "client_refused"),
        ("This video is DRM protected", "drm_protected"),
        (
            "The following content is not available on this app. Watch on the latest version of YouTube.",
            "client_refused",
        ),
        ("The page needs to be reloaded.", "client_refused"),
        ("Failed to extract any player response; please report this issue", "client_refused"),
        ("This content isn't available. You have hit the request limit, try again in an hour", "rate_limited"),
        ("Something that nobody has seen before", "fetch_failed"),
    ],
)
def test_youtube_sentences(sentence: str, status: str):
    error = DownloadError(f"ERROR: [youtube] abc: {sentence}", exc_info=(None, ExtractorError(sentence), None))
    found = explain(error)
    assert found.status == status
    assert found.reason.startswith("[youtube] abc")


def answer(code: int, headers: dict[str, str] | None = None) -> HTTPError:
    return HTTPError(Response(io.BytesIO(), "http://host/", headers or {}, status=code))


@pytest.mark.parametrize(
    ("code", "status"),
    [(403, "forbidden"), (404, "removed"), (410, "removed"), (429, "rate_limited"), (451, "region_blocked"),
     (500, "server_error"), (503, "server_error"), (418, "fetch_failed")],
)  # fmt: skip
def test_http(code: int, status: str):
    inner = answer(code)
    outer = DownloadError(
        "ERROR: it failed at http://host:8080/secret", exc_info=(None, ExtractorError("x", cause=inner), None)
    )
    found = explain(outer)
    assert (found.status, found.reason) == (status, f"the server answers {code}")


def test_retry_after_as_seconds_and_as_a_date():
    assert explain(answer(429, {"Retry-After": "120"})).retry_after_s == 120
    in_an_hour = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3600))
    assert explain(answer(503, {"Retry-After": in_an_hour})).retry_after_s == pytest.approx(3600, abs=5)
    assert explain(answer(429, {"Retry-After": "soon"})).retry_after_s is None


def test_transport():
    assert explain(IncompleteRead(5, 10)).status == "truncated"
    assert explain(TransportError("Read timed out.")).status == "stalled"
    assert explain(TransportError("Connection refused")).status == "unreachable"
    assert explain(GeoRestrictedError("not here")).status == "region_blocked"


def test_reasons_hold_no_address_and_nothing_unprintable():
    found = explain(DownloadError("ERROR: \r\x1b[31mUnsupported URL: http://user:secret@host:41/x"))
    assert "secret" not in found.reason
    assert found.reason.isprintable()


def test_one_pace_for_all_who_ask_a_host(tmp_path: Path, monkeypatch):
    waited: list[float] = []
    monkeypatch.setattr("foleybench.prepare.obtain.pace.wait", waited.append)
    for _ in range(3):
        Pace("host", 10.0, tmp_path).wait_for_turn()
    assert waited[0] <= 0.0
    assert 9.0 < waited[1] <= 20.0
    assert 19.0 < waited[2] <= 40.0
    Pace("other", 10.0, tmp_path).wait_for_turn()
    assert waited[3] <= 0.0
    Pace("host", 10.0, tmp_path).hold(300.0)
    Pace("host", 10.0, tmp_path).wait_for_turn()
    assert waited[4] == pytest.approx(300.0, abs=5)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"next_s": "x"}', '{"next_s": 1e18}'])
def test_a_damaged_pace_is_no_pace(tmp_path: Path, monkeypatch, content: str):
    waited: list[float] = []
    monkeypatch.setattr("foleybench.prepare.obtain.pace.wait", waited.append)
    Pace("host", 0.0, tmp_path).wait_for_turn()
    next(tmp_path.iterdir()).write_text(content)
    Pace("host", 0.0, tmp_path).wait_for_turn()
    assert waited[1] <= 0.0


def test_what_a_killed_worker_left_is_removed(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("foleybench.prepare.obtain.scratch.scratch_root", lambda: tmp_path)
    (tmp_path / "fetch-999999999-abc").mkdir()
    (tmp_path / f"fetch-{os.getpid()}-abc").mkdir()
    with scratch_folder() as folder:
        (folder / "x").touch()
    assert [path.name for path in tmp_path.iterdir()] == [f"fetch-{os.getpid()}-abc"]


def test_options_of_fetching(tmp_path: Path):
    def net(*words: str):
        return net_of(parse_options("vggsound", ["--list", "x", *words]))

    assert net() is None
    assert net("--fetch")["pause_s"] == 10.0
    mirror = net("--source-url-template", "https://host/{video_id}.mp4", "--rate-limit", "2M")
    assert (mirror["pause_s"], mirror["rate_limit"]) == (1.0, 2_000_000)
    for bad in ("https://host/x.mp4", "file:///{video_id}"):
        with pytest.raises(FoleyError, match="source-url-template"):
            net("--source-url-template", bad)
    with pytest.raises(FoleyError, match="no cookie file"):
        net("--fetch", "--cookies", str(tmp_path / "none"))


def test_a_full_disk_is_no_fault_of_the_video(tmp_path: Path, monkeypatch):
    """It was ``unreachable``, tried again, of every video."""

    def full(*_words):
        raise OSError(errno.ENOSPC, "No space left on device")

    def told(*_words):
        try:
            full()
        except OSError as error:
            raise DownloadError(f"unable to write data: {error}") from None

    net = net_of(parse_options("vggsound", ["--list", "x", "--source-url-template", "http://127.0.0.1:9/{video_id}"]))
    for raising in (full, told):
        monkeypatch.setattr(yt_dlp.YoutubeDL, "extract_info", raising)
        with pytest.raises(OSError, match="No space left") as caught:
            _fetch("http://127.0.0.1:9/x", net, tmp_path)
        assert caught.value.filename == str(tmp_path)
