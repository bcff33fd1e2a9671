"""Fixtures around the synthetic results."""

import pytest

from tests import made_results


@pytest.fixture(scope="session")
def make_result():
    """Return a function that writes one result file and returns its path."""
    return made_results.make_result


@pytest.fixture
def board_folder(tmp_path):
    """Return a folder of results with one of everything."""
    return made_results.make_board(tmp_path / "leaderboards" / "results")
