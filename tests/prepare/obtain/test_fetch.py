"""Fetching with the real yt-dlp from a site on the loopback address where everything goes wrong."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import Manifest, read_manifest
from tests.prepare.obtain import video_server
from tests.prepare.obtain.video_server import VideoServer

# Read by every Python process that finds it on its path: how long a wait is makes no difference to a shard.
WAITS_ARE_SHORT = """
import time
sleep = time.sleep
time.sleep = lambda seconds: sleep(seconds / 10)
"""


def command(server: VideoServer, listed: Path, out: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "foleybench.cli", "prepare", "vggsound", "--list", str(listed), "--out", str(out)),
        *("--source-url-template", server.template, "--pause", "0", "--tries", "2", "--socket-timeout", "1"),
        *("--jobs", "3"),
    ]


def result(out: Path) -> dict[str, str]:
    """Return the hash of every shard and of the manifest."""
    files = [*out.glob("*.tar"), *out.glob("*.jsonl")]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def check(manifest: Manifest, n: int) -> None:
    """Every video has one line, with the status and flag that its deed leads to."""
    deeds = video_server.deeds(n)
    assert [entry.source_id for entry in manifest.entries] == [
        video_server.video_id(k, deed) for k, deed in enumerate(deeds)
    ]
    for entry, deed in zip(manifest.entries, deeds, strict=True):
        status, flag = video_server.EXPECTED[deed]
        assert (deed, entry.status) == (deed, status), entry.reason
        assert not flag or flag in entry.facts["flags"]
        assert entry.status == "ok" or entry.reason


def kill_in_the_middle(server: VideoServer, asked: list[str], pauses_s: list[float]) -> None:
    """Start a run as often as there are pauses, each time killed that long after it first asked; then let it end."""
    for pause_s in pauses_s:
        before = server.asked.total()
        run = subprocess.Popen(asked, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while server.asked.total() == before and run.poll() is None:
            time.sleep(0.01)
        time.sleep(pause_s)
        run.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL, "the run ended before it was killed"
    subprocess.run(asked, check=False, capture_output=True)


@pytest.mark.slow
def test_every_status_is_right_and_kills_change_nothing(tmp_path: Path, monkeypatch):
    """Both runs at once: each often waits for its site. The pace at a host lies in ``TMPDIR``."""
    n = 24
    listed = tmp_path / "list.csv"
    listed.write_text(video_server.rows(n))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "sitecustomize.py").write_text(WAITS_ARE_SHORT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    chance = random.Random(4)
    pauses_s = [chance.uniform(0.0, 2.0) for _ in range(2)]
    with video_server.serving(n) as one, video_server.serving(n) as other, ThreadPoolExecutor() as threads:
        killed = threads.submit(kill_in_the_middle, other, command(other, listed, tmp_path / "killed"), pauses_s)
        subprocess.run(command(one, listed, tmp_path / "whole"), check=False, capture_output=True)
        killed.result()
    check(read_manifest(tmp_path / "whole" / "test.manifest.jsonl"), n)
    assert result(tmp_path / "killed") == result(tmp_path / "whole")
    assert ShardDataset(tmp_path / "killed" / "test.manifest.jsonl").verify() == []
