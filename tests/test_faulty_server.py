"""The loopback server of the tests ends with the test that it serves."""

from __future__ import annotations

import threading

import pytest

from tests.faulty_server import Faults, serving


def serving_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "serve_forever" in thread.name]


def test_a_server_ends_when_its_test_fails():
    """Twenty servers that went on without their sockets once made the tests behind them six times slower."""
    before = serving_threads()
    with pytest.raises(ZeroDivisionError), serving(Faults(b"file")):
        raise ZeroDivisionError
    assert serving_threads() == before
