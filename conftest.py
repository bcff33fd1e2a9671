"""For every test: a Numba cache a process; for examples in docstrings ``manifest``, ``results``, ``folder`` (empty)."""

import os
from pathlib import Path
from typing import Any

import pytest
from _pytest.doctest import DoctestItem

from tests.made_clicks import make_clicks
from tests.made_results import make_result

# librosa compiles with Numba. Two processes that fill one cache damage it: the next run ends in a segmentation fault.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).parent / ".cache" / "numba" / WORKER)

collect_ignore = ["foleybench/loader.py"]  # it only says where ClipLoader went


@pytest.fixture(scope="session")
def _manifest_for_examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clicks(tmp_path_factory.mktemp("examples"), 6)


@pytest.fixture(scope="session")
def _results_for_examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    make_result(folder, "ours", metrics=("event_f1",))
    return folder


@pytest.fixture(autouse=True)
def _names_for_examples(request: pytest.FixtureRequest, doctest_namespace: dict[str, Any]) -> None:
    if isinstance(request.node, DoctestItem):
        doctest_namespace["folder"] = request.getfixturevalue("tmp_path")
        doctest_namespace["results"] = request.getfixturevalue("_results_for_examples")
        doctest_namespace["manifest"] = request.getfixturevalue("_manifest_for_examples")
