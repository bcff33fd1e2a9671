"""Lines come where there is no terminal, also while nothing is finished."""

from __future__ import annotations

import gc
import sys
import threading
import time

import pytest

from foleybench.runtime import progress
from foleybench.runtime.progress import Progress


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.02)


def wait_for(condition):
    until = time.monotonic() + 20
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    assert condition()


def writers():
    return [thread for thread in threading.enumerate() if "_write_lines" in thread.name]


def test_a_run_that_waits_writes_lines_and_none_after_its_end(at_once, capsys):
    said = ""
    with Progress(total=4, initial=1, desc="eval {x}", unit="clip") as bar:
        bar.update()
        bar.note(failed=1)
        while "\n" not in said:
            said += capsys.readouterr().err
    wait_for(lambda: not writers())
    capsys.readouterr()
    time.sleep(0.1)
    assert capsys.readouterr().err == ""
    assert said.startswith("eval {x}: 2/4 clip, ")
    assert " left, failed 1\n" in said


def test_what_nobody_holds_any_more_ends(at_once):
    Progress(total=4)
    gc.collect()
    wait_for(lambda: not writers())


def test_items_are_counted_when_they_are_done():
    bar = Progress(["a", "b"], unit="clip", disable=True)
    lines = [bar.line().split(",")[0] for _ in bar]
    assert lines == ["0/2 clip", "1/2 clip"]
    assert bar.line().startswith("2/2 clip")


def test_without_a_total_no_time_is_promised():
    bar = Progress(unit="B", unit_scale=True, disable=True)
    bar.update(1_500_000)
    assert bar.line().startswith("1.50M B, ")
    assert "left" not in bar.line()


def test_a_terminal_has_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Progress(total=2, desc="eval", unit="clip") as bar:
        bar.update(2)
        bar.note(failed=0)
    assert not writers()
    assert "100%" in capsys.readouterr().err


def test_short_work_says_nothing(capsys):
    assert list(Progress(range(3))) == [0, 1, 2]
    assert capsys.readouterr().err == ""
