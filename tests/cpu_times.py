"""Measure the CPU seconds of every test, as a pytest plugin; makes ``tests/slow_tests.tsv``.

    python -m pytest -p tests.cpu_times -m "not slow and not browser"

A test that takes at least ``LEAST_S`` is listed, and carries the mark ``slow`` from then on (``conftest.py``), beside
those that carry it where they stand. Seconds of CPU, those of child processes included, hardly depend on what else the
machine does. Run it in one process: what tests share is made by the first that wants it, and counts there.
"""

from __future__ import annotations

import resource
from collections.abc import Generator
from pathlib import Path

import pytest

LIST = Path(__file__).parent / "slow_tests.tsv"
LEAST_S = 0.03
_HEAD = "cpu_seconds\ttest"


def listed() -> dict[str, float]:
    """Return the listed tests, by node id: seconds."""
    rows = (line.split("\t", 1) for line in LIST.read_text(encoding="utf-8").splitlines()[1:])
    return {test: float(seconds) for seconds, test in rows}


def write(seconds: dict[str, float]) -> None:
    """Write the list of the tests that take long."""
    rows = [f"{seconds[test]:.2f}\t{test}" for test in sorted(seconds) if seconds[test] >= LEAST_S]
    LIST.write_text("\n".join([_HEAD, *rows, ""]), encoding="utf-8")


_measured: dict[str, float] = {}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure a test with what is set up for it."""
    before = _cpu_s()
    found = yield
    _measured[item.nodeid] = _cpu_s() - before
    return found


def pytest_sessionfinish() -> None:
    """Write the list."""
    write(_measured)


def _cpu_s() -> float:
    used = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)
