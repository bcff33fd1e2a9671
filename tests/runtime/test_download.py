"""Downloads from a server that misbehaves: whole, resumed, or refused by name; never half a file as finished."""

import hashlib
import resource
import signal

import numpy as np
import pytest

from foleybench.errors import FoleyError
from foleybench.runtime.download import Patience, WrongContentError, download_file
from tests.faulty_server import Faults, serving

MB = 1_000_000
FILE = np.random.default_rng(0).bytes(5 * MB)
OTHER = np.random.default_rng(1).bytes(5 * MB)
QUICK = Patience(tries=3, timeout_s=0.5, wait_s=0.01)


def is_file(part):
    if hashlib.sha256(part.read_bytes()).digest() != hashlib.sha256(FILE).digest():
        raise WrongContentError(f"{part.name} has another hash.")


class Fetch:
    """A download into a folder, with what was said on the way."""

    def __init__(self, folder, faults, **known):
        self.path = folder / "net.pt"
        self.faults, self.known, self.said = faults, known, []

    def __call__(self, patience=QUICK, **more):
        with serving(self.faults) as url:
            url = more.pop("url", url)
            download_file(url, self.path, patience=patience, tell=self.said.append, **{**self.known, **more})
        return self.path.read_bytes()

    def names(self):
        return sorted(path.name for path in self.path.parent.iterdir())


HASHED = {"check": is_file, "hashed": True}


@pytest.mark.parametrize("known", [{}, {"size_bytes": 5 * MB}, HASHED])
def test_a_cut_at_2_of_5_mb_is_gone_on_with(tmp_path, known):
    """P1."""
    fetch = Fetch(tmp_path, Faults(FILE, cut=2 * MB), **known)
    assert fetch() == FILE
    assert fetch.names() == ["net.pt"]
    assert fetch.faults.seen == ["", "bytes=2000000-", "bytes=4000000-"]
    assert "the server ended after 2,000,000 of 5,000,000 bytes" in fetch.said[0]


def test_what_came_is_kept_for_the_next_run(tmp_path):
    """P1: a server that cuts and then is gone; the next run asks for the rest only."""
    faults = Faults(FILE, cut=2 * MB)
    faults.on_request = lambda number: faults.statuses.append(503) if number > 1 else None
    fetch = Fetch(tmp_path, faults)
    with pytest.raises(FoleyError, match=r"503 .* 3 tries in a row brought nothing new\. 2,000,000 bytes are kept"):
        fetch()
    assert not fetch.path.exists()
    again = Fetch(tmp_path, Faults(FILE), url="unused")
    with serving(faults) as url:  # an address is part of what a kept part is believed by
        faults.cut, faults.on_request = None, lambda number: None
        part, note = tmp_path / ".net.pt.part", tmp_path / ".net.pt.part.json"
        note.write_text(note.read_text().replace(note.read_text().split('"')[3], url))
        faults.seen.clear()
        download_file(url, fetch.path, patience=QUICK)
    assert fetch.path.read_bytes() == FILE
    assert faults.seen == ["bytes=2000000-"]
    assert not part.exists()
    assert not note.exists()
    assert again.names() == ["net.pt"]


@pytest.mark.parametrize(
    "note", ["", "[]", '{"url": 1}', '{"url": "http://elsewhere/net.pt", "etag": "a", "changed": "", "total": 5000000}']
)
def test_a_part_of_unknown_origin_is_not_gone_on_with(tmp_path, note):
    """P1."""
    (tmp_path / ".net.pt.part").write_bytes(OTHER[: 2 * MB])
    (tmp_path / ".net.pt.part.json").write_text(note)
    fetch = Fetch(tmp_path, Faults(FILE))
    assert fetch() == FILE
    assert fetch.faults.seen == [""]


def test_a_server_without_ranges_is_asked_for_all_again(tmp_path):
    """P1."""
    fetch = Fetch(tmp_path, Faults(FILE, cut=2 * MB, cuts=1, ranges=False))
    assert fetch() == FILE
    assert any("sends it from the start again" in line for line in fetch.said)


def test_a_server_without_ranges_that_always_cuts_is_given_up(tmp_path):
    """P1: what comes again and again is nothing new."""
    fetch = Fetch(tmp_path, Faults(FILE, cut=2 * MB, ranges=False))
    with pytest.raises(FoleyError, match="3 tries in a row brought nothing new"):
        fetch()
    assert len(fetch.faults.seen) == 4
    assert not fetch.path.exists()


@pytest.mark.parametrize("known", [{}, HASHED])
def test_a_stall_is_a_break(tmp_path, known):
    """P1."""
    fetch = Fetch(tmp_path, Faults(FILE, stall_s=3.0), **known)
    assert fetch() == FILE
    assert "silent for" in fetch.said[0]
    assert fetch.faults.seen[1] == "bytes=2500000-"


@pytest.mark.parametrize("known", [{}, HASHED])
def test_a_file_that_changes_between_tries_is_fetched_anew(tmp_path, known):
    """P1: the second request gives the file of another ETag; no mixture of both is ever there."""
    faults = Faults(OTHER, cut=2 * MB, cuts=1)
    faults.on_request = lambda number: setattr(faults, "content", FILE) if number > 1 else None
    assert Fetch(tmp_path, faults, **known)() == FILE


def test_a_file_that_changes_unmarked_is_found_by_its_hash(tmp_path):
    """P1: no ETag, no date: the parts are joined on trust, the hash shows it, and all is fetched once more."""
    faults = Faults(OTHER, cut=2 * MB, cuts=1, etag="")
    faults.on_request = lambda number: setattr(faults, "content", FILE) if number > 1 else None
    fetch = Fetch(tmp_path, faults, **HASHED)
    assert fetch() == FILE
    assert faults.seen == ["", "bytes=2000000-", ""]
    assert any("the parts do not make the file" in line for line in fetch.said)


def test_without_mark_and_hash_nothing_is_joined(tmp_path):
    """P1."""
    fetch = Fetch(tmp_path, Faults(FILE, cut=2 * MB, cuts=1, etag=""))
    assert fetch() == FILE
    assert fetch.faults.seen == ["", ""]


@pytest.mark.parametrize(
    ("faults", "known", "message"),
    [
        ({"html": True}, {}, r"sent a web page \(text/html\)"),
        ({"length": 6 * MB}, {"size_bytes": 5 * MB}, "offers 6,000,000 bytes; the published file has 5,000,000"),
        ({"length": 4 * MB}, {"size_bytes": 5 * MB}, "offers 4,000,000 bytes; the published file has 5,000,000"),
        ({"length": 6 * MB}, {}, "the server ended after 5,000,000 of 6,000,000|no more bytes"),
        ({"content": FILE + b"more", "length": -1}, {"size_bytes": 5 * MB}, "sent more than 5,000,000 bytes"),
        (
            {"content": FILE[: 4 * MB], "length": -1},
            {"size_bytes": 5 * MB},
            "ended after 4,000,000 of 5,000,000|no more",
        ),
        ({"statuses": [404]}, {}, r"the server answered 404 Not Found\. Put the file at"),
        ({"statuses": [403]}, {}, "the server answered 403"),
        ({"statuses": [503] * 9}, {}, "the server answered 503 .* 3 tries in a row"),
        ({"raw": b"rubbish\r\n\r\n"}, {}, "BadStatusLine"),
        ({"raw": b""}, {}, "RemoteDisconnected"),
        ({"raw": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"}, {}, "IncompleteRead"),
    ],
)
def test_refused_by_name(tmp_path, faults, known, message):
    """P1: no traceback, nothing under the file's name."""
    fetch = Fetch(tmp_path, Faults(**{"content": FILE, **faults}), **known)
    with pytest.raises(FoleyError, match=message):
        fetch()
    assert not fetch.path.exists()


@pytest.mark.parametrize("statuses", [[503], [429, 500]])
def test_a_busy_server_is_asked_again(tmp_path, statuses):
    """P1."""
    fetch = Fetch(tmp_path, Faults(FILE, statuses=statuses))
    assert fetch() == FILE
    assert "trying again" in fetch.said[0]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("gopher://127.0.0.1/net.pt", "unknown url type"),
        ("net.pt", "unknown url type"),
        ("http://127.0.0.1:1/net.pt", "ConnectionRefusedError.* 3 tries in a row"),
        ("http://127.0.0.1:99999/net.pt", "could not be downloaded"),
        ("http://127.0.0.1:80 80/net.pt", "InvalidURL"),
    ],
)
def test_addresses_that_lead_nowhere(tmp_path, url, message):
    """P1."""
    with pytest.raises(FoleyError, match=message):
        Fetch(tmp_path, Faults(FILE))(url=url)


def test_a_file_of_another_hash_is_set_aside(tmp_path):
    """P1."""
    fetch = Fetch(tmp_path, Faults(OTHER), **HASHED)
    with pytest.raises(
        WrongContentError, match=r"has another hash\. The received file is set aside as net\.pt\.refused"
    ):
        fetch()
    assert fetch.names() == ["net.pt.refused"]
    fetch.faults.content = FILE
    assert fetch() == FILE
    assert fetch.names() == ["net.pt", "net.pt.refused"]


def test_two_runs_do_not_write_into_each_other(tmp_path):
    """P1."""
    inner = Fetch(tmp_path, Faults(FILE))
    found = []

    def meanwhile(number):
        with pytest.raises(FoleyError, match="another run is downloading") as caught:
            inner()
        found.append(caught.value)

    fetch = Fetch(tmp_path, Faults(FILE, on_request=meanwhile))
    assert fetch() == FILE
    assert len(found) == 1


def test_a_file_that_does_not_fit_on_the_disk_is_refused_before_it_is_fetched(tmp_path):
    """P1."""
    fetch = Fetch(tmp_path, Faults(FILE, length=1 << 60))
    with pytest.raises(FoleyError, match="Make room, or name another folder"):
        fetch()


def test_a_disk_that_fills_up_keeps_what_came(tmp_path):
    """P1: a limit of 1 MB a file stands for the full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    told = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    fetch = Fetch(tmp_path, Faults(FILE))
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (MB, hard))
        with pytest.raises(FoleyError, match="cannot be written: file too large"):
            fetch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, told)
    assert 0 < (tmp_path / ".net.pt.part").stat().st_size <= MB
