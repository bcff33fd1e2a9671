"""The list of slow tests: it names tests that are there, and they carry the mark."""

import re
from pathlib import Path

from tests import cpu_times


def test_every_listed_test_is_there():
    """A test of another name would be fast again without a word."""
    gone = []
    for test in cpu_times.listed():
        path, _, name = test.partition("::")
        name = name.partition("[")[0].rpartition("::")[2].rpartition(".")[2]
        if not Path(path).is_file() or not re.search(rf"\b{name}\b", Path(path).read_text(encoding="utf-8")):
            gone.append(test)
    assert not gone, "measure again: python -m pytest -p tests.cpu_times -m 'not slow and not browser'"


def test_what_is_written_is_what_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(cpu_times, "LIST", tmp_path / "list.tsv")
    cpu_times.write({"b.py::slow[a\\tb]": 2.0, "a.py::fast": 0.01, "a.py::limit": cpu_times.LEAST_S})
    assert cpu_times.listed() == {"a.py::limit": cpu_times.LEAST_S, "b.py::slow[a\\tb]": 2.0}


class _Item:
    """What the hook asks of a test."""

    def __init__(self, nodeid, mark=None):
        self.nodeid, self.path, self.mark = nodeid, Path(nodeid.partition("::")[0]), mark

    def get_closest_marker(self, name):
        return self.mark if self.mark == name else None

    def add_marker(self, name):
        self.mark = name


def test_listed_tests_are_marked_and_the_longest_files_begin(request, monkeypatch):
    seconds = {"short.py::test_b": 1.0, "long.py::test_b": 3.0}
    monkeypatch.setattr(cpu_times, "listed", lambda: seconds)
    hook = request.config.pluginmanager.get_plugin(str(request.config.rootpath / "conftest.py"))
    items = [_Item(f"{file}.py::test_{name}") for file in ("fast", "short", "long", "said") for name in "ab"]
    items[-1].mark = "slow"
    hook.pytest_collection_modifyitems(request.config, items)
    assert {item.nodeid for item in items if item.mark == "slow"} == {*seconds, "said.py::test_b"}
    assert [item.nodeid for item in items[::2]] == [f"{name}.py::test_a" for name in ("said", "long", "short", "fast")]
