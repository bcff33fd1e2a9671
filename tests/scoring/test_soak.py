"""A folder with every kind of broken audio: each is named, no other is, the rest is scored, and the exit code is 3."""

from pathlib import Path

import pytest

from benchmarks.soak import soak
from tests.broken_sounds import WAYS


@pytest.mark.slow
def test_every_fault_is_named(tmp_path: Path):
    """W5, W7, W10, W11, D3, D4, D5, R9, R10: two dozen ways, one in six sounds."""
    found = soak(tmp_path, 6 * len(WAYS), every=6)
    assert found.n_broken == len(WAYS)
    assert found.not_named == []
    assert found.named_though_good == []
    assert found.n_scored == found.n_scored_wanted
    assert found.exit_code == 3
