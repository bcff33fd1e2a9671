"""Broken files of every container: read or refused with a reason, never a traceback, a hang or a silent change."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.fuzz_media import CHECKED, KINDS, Fuzzer

# More by `FUZZ_INPUTS=10000 pytest tests/media/test_fuzz.py`, or by benchmarks/fuzz_media.py, which survives crashes.
N = int(os.environ.get("FUZZ_INPUTS", "64"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Fuzzer:
    return Fuzzer(tmp_path_factory.mktemp("fuzz"), SEED)


@pytest.mark.slow
def test_w_d_broken_files_are_read_or_refused(fuzzer: Fuzzer):
    """D3, D4, D8, W5: an assertion in the fuzzer, or anything but a MediaError, fails this test."""
    ended = [fuzzer(number) for number in range(N)]
    assert {one.container for one in ended} == set(KINDS)
    assert max(one.seconds for one in ended) < 10
    assert [one for one in ended if one.changed and one.container in CHECKED] == []
    statuses = Counter(one.status for one in ended)
    assert statuses["ok"] > N // 8
    assert N - statuses["ok"] > N // 8


def test_the_same_seed_breaks_the_same_files(fuzzer: Fuzzer, tmp_path: Path):
    other = Fuzzer(tmp_path, SEED)
    for number in range(8):
        one, two = fuzzer(number), other(number)
        assert (one.mutation, one.status, one.remarks, one.changed) == (
            two.mutation,
            two.status,
            two.remarks,
            two.changed,
        )
