"""What is damaged in a store is absent, never another value; processes share a store."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import sqlite3
import warnings

import numpy as np
import pytest

from foleybench.features.store import FeatureStore
from tests.damage import KINDS, damaged

FEATURES = {
    "x": np.arange(12.0).reshape(3, 4),
    "one": np.array(0.5, dtype=np.float32),
    "none": np.zeros((0, 3)),
    "whole": np.array([1, -2]),
    "turned": np.arange(6.0, dtype=np.float32).reshape(2, 3).T,
}


def assert_same(found, features):
    assert found.keys() == features.keys()
    for name, value in features.items():
        np.testing.assert_array_equal(found[name], value, strict=True)


@contextlib.contextmanager
def database(path):
    """The file itself; ``sqlite3.connect`` as a context commits, and leaves the file open."""
    connection = sqlite3.connect(path)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


@pytest.fixture
def store(tmp_path):
    store = FeatureStore(tmp_path / "e.sqlite")
    store.put({"ab12": FEATURES})
    return store


def test_what_comes_back_is_what_was_put(store):
    assert_same(store.get(["ab12", "cd"])["ab12"], FEATURES)
    store.put({"ab12": {"x": np.array([2.0])}, "cd": FEATURES})
    assert_same(store.get(["ab12"])["ab12"], {"x": np.array([2.0])})
    assert_same(FeatureStore(store.path).get(["cd"])["cd"], FEATURES)


def test_a_store_that_nobody_holds_any_more_is_closed(store):
    """A database that is dropped open is closed by CPython, too, but from 3.13 on with a ResourceWarning."""
    connection = store._open()
    store = FeatureStore(store.path)  # the fixture holds the first one
    held = store._open()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del store
        gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        held.execute("SELECT 1")
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_store_that_was_only_read_makes_no_file(tmp_path):
    assert FeatureStore(tmp_path / "e.sqlite").get(["ab12"]) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_row_that_disagrees_with_its_checksum_is_absent(store, kind):
    draw = np.random.default_rng(KINDS.index(kind))
    store.close()
    with database(store.path) as file:
        whole = file.execute("SELECT content FROM features").fetchone()[0]
    for _ in range(30):
        with database(store.path) as file:
            file.execute("UPDATE features SET content = ?", [damaged(whole, draw, kind)])
        assert store.get(["ab12"]) == {}


def test_content_beside_the_key_of_another_is_absent(store):
    with database(store.path) as file:
        file.execute("INSERT INTO features SELECT 'cd34', digest, content FROM features")
    assert store.get(["ab12", "cd34"]).keys() == {"ab12"}


@pytest.mark.parametrize("wrong", [None, 5, "text"])
def test_a_row_of_the_wrong_type_is_absent(store, wrong):
    with database(store.path) as file:
        file.execute("UPDATE features SET content = ?", [wrong])
    assert store.get(["ab12"]) == {}


@pytest.mark.parametrize("n", [30, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_damaged_files_lose_features_and_never_change_them(tmp_path, kind, n):
    """D9. With ``slow``: 10,000 damaged files, of ten kinds."""
    draw = np.random.default_rng([n, KINDS.index(kind)])
    path = tmp_path / "e.sqlite"
    whole = FeatureStore(path)
    whole.put({"ab12": FEATURES, "cd34": {"x": np.arange(3000.0)}})
    whole.close()
    content, n_kept = path.read_bytes(), 0
    for _ in range(n):
        path.write_bytes(damaged(content, draw, kind))
        store = FeatureStore(path)
        found = store.get(["ab12", "cd34"])
        if "ab12" in found:
            assert_same(found["ab12"], FEATURES)
        if "cd34" in found:
            assert_same(found["cd34"], {"x": np.arange(3000.0)})
        store.put({"ab12": FEATURES})
        again = store.get(["ab12"])  # a damaged index may lose even what was just put
        if "ab12" in again:
            assert_same(again["ab12"], FEATURES)
            n_kept += 1
        store.close()
    assert n_kept > 0.9 * n


def test_another_program_s_database_is_set_aside_and_kept(tmp_path):
    path = tmp_path / "e.sqlite"
    with database(path) as file:
        file.execute("CREATE TABLE letters (text)")
    store = FeatureStore(path)
    assert store.get(["ab12"]) == {}
    store.put({"ab12": FEATURES})
    assert_same(store.get(["ab12"])["ab12"], FEATURES)
    with database(tmp_path / "e.damaged") as file:
        assert file.execute("SELECT name FROM sqlite_master").fetchall() == [("letters",)]


def _put_many(path, first):
    store = FeatureStore(path)
    for number in range(first, first + 50):
        store.put({f"{number}": {"x": np.full(2000, number)}})


@pytest.mark.slow
def test_processes_that_write_at_once_lose_nothing(tmp_path):
    path = tmp_path / "e.sqlite"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_put_many, args=(path, first)) for first in (0, 50, 100)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    found = FeatureStore(path).get([f"{number}" for number in range(150)])
    assert all((found[f"{number}"]["x"] == number).all() for number in range(150))
    assert len(found) == 150
