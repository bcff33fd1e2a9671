"""For every test: a Numba cache a process; for examples in docstrings ``manifest``, ``results``, ``folder`` (empty)."""

import gc
import os
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.doctest import DoctestItem, DoctestModule

from tests import cpu_times
from tests.made_clicks import make_clicks
from tests.made_results import make_result

# librosa compiles with Numba. Two processes that fill one cache damage it: the next run ends in a segmentation fault.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
os.environ["NUMBA_CACHE_DIR"] = str(Path(__file__).parent / ".cache" / "numba" / WORKER)
os.environ.setdefault("NUMBA_OPT", "0")  # a clean clone compiles; code that then runs for a moment need not be fast

# Collecting makes hundreds of thousands of objects that stay: looking among them for garbage takes a seventh of it.
gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests that were measured to be slow, and begin with the files that take longest.

    One that begins last and takes a minute has all other processes wait for it.
    """
    measuring = config.pluginmanager.has_plugin(cpu_times.__name__)
    seconds: dict[str, float] = {} if measuring else cpu_times.listed()
    of_files: Counter[Path] = Counter()
    marked = {item.path for item in items if item.get_closest_marker("slow")}
    for item in items:
        if item.nodeid in seconds:
            item.add_marker("slow")
            of_files[item.path] += seconds[item.nodeid]
    items.sort(key=lambda item: (item.path not in marked, -of_files[item.path]))


def pytest_collection_finish() -> None:
    """Look for garbage again, but not among what collecting made."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Import for their examples only modules that have some: every process of a run collects every file."""
    found = yield
    if b">>>" in file_path.read_bytes():
        return found
    return [one for one in found if not isinstance(one, DoctestModule)]


@pytest.fixture(scope="session", autouse=True)
def _no_wait_for_the_disk() -> Iterator[None]:
    """Files of tests need not outlive a power cut; thousands of small ones waited for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


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
