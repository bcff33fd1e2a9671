"""Large statistics beside the clip table: exact, once each, and honest about their absence."""

import numpy as np
import pytest

from foleybench.artefacts import result as results
from foleybench.artefacts.clip_table import SMALL, ClipTable, LargeStats, paths_of
from foleybench.artefacts.entries import read_entry
from foleybench.errors import ResultError
from tests.made_results import make_result


def table_of(n, rows=10, width=128, seed=0):
    draw = np.random.default_rng(seed)
    table = ClipTable()
    for i in range(n):
        wide = draw.normal(size=(rows, width)).astype(np.float32).astype(np.float64)
        row = {"clip_id": f"c{i:03d}", "source_id": f"s{i:03d}", "label": "hammer_bell", "duration_s": 1.0}
        stats = {
            "wide": {"reference": wide, "generated": wide},
            "exact": {"x": np.asarray(draw.normal(size=SMALL + 1))},
        }
        table.add({**row, "stats": {**stats, "small": {"v": np.asarray(1.5)}, "none": None}})
    return table


def test_what_goes_in_comes_out_bit_by_bit():
    table = table_of(3)
    found = results.stats_of(table, "wide")
    draw = np.random.default_rng(0)
    first = draw.normal(size=(10, 128)).astype(np.float32)
    np.testing.assert_array_equal(found["c000"]["reference"], first)
    assert found["c000"]["reference"].dtype == np.float64
    exact = draw.normal(size=SMALL + 1)
    np.testing.assert_array_equal(results.stats_of(table, "exact")["c000"]["x"], exact)
    assert table[0]["stats"]["small"] == {"v": 1.5}
    assert results.stats_of(table, "none") == {}


def test_equal_statistics_are_kept_once():
    store = LargeStats()
    values = np.arange(400.0).reshape(4, 100)
    assert store.put(values) == store.put(values.copy())
    assert store.put(values + 1.0)["start"] == 4


@pytest.mark.parametrize("changed", [{"shape": [2, 50]}, {"shape": [5, 100]}, {"start": 1}, {"array": "f4x50"}])
def test_a_reference_to_rows_that_are_not_there_is_refused(changed):
    store = LargeStats()
    reference = store.put(np.arange(400.0).reshape(4, 100))
    with pytest.raises(ResultError, match="does not have"):
        store.get({**reference, **changed})


@pytest.mark.parametrize("n", [1, 511, 512, 513, 1100])
def test_blocks_hold_what_was_put_in_them(n):
    store = LargeStats()
    references = [store.put(np.full((1 + i % 3, 70), float(i))) for i in range(n)]
    for i, reference in enumerate(references):
        assert store.get(reference).shape == (1 + i % 3, 70)
        assert (store.get(reference) == i).all()


def test_file_round_trip_and_the_same_bytes_twice(tmp_path):
    for name in ("a.npz", "b.npz"):
        table_of(600).large.write(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    table = table_of(600)
    stored = LargeStats.read(tmp_path / "a.npz")
    for row in (table[0], table[599]):
        for reference in (row["stats"]["wide"]["generated"], row["stats"]["exact"]["x"]):
            np.testing.assert_array_equal(stored.get(reference), table.large.get(reference))
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:200])
    with pytest.raises(ResultError, match=r"a\.npz is not a file of arrays"):
        LargeStats.read(tmp_path / "a.npz")
    with pytest.raises(ResultError, match="does not have"):
        stored.get({"array": "f4x128", "start": 10**6, "shape": [1, 128]})


@pytest.fixture
def written(tmp_path):
    """A result with large statistics: kept under a name that git ignores, since they are over a megabyte."""

    def write(n=300):
        made = make_result(tmp_path / "made", "alpha")
        result = {key: value for key, value in results.read_result(made).items() if key != "clips"}
        return results.write_result(tmp_path / "results", result, table_of(n))

    return write


@pytest.mark.parametrize(("n", "kept"), [(20, 0), (300, 1)])
def test_result_with_large_statistics(written, n, kept):
    path = written(n)
    assert [candidate.is_file() for candidate in paths_of(path)] == [kept == 0, kept == 1]
    found = results.stats_of(results.read_clips(path), "wide")
    np.testing.assert_array_equal(
        found["c007"]["generated"], results.stats_of(table_of(n), "wide")["c007"]["generated"]
    )
    written(n)
    assert len(list(path.parent.iterdir())) == 3


def test_absent_large_statistics_are_told_and_the_rest_is_there(written):
    path = written()
    paths_of(path)[1].unlink()
    table = results.read_clips(path)
    assert results.stats_of(table, "small")["c000"]["v"] == 1.5
    assert (table.lacks("wide"), table.lacks("small"), table.lacks("none")) == (True, False, False)
    assert read_entry(path).lacks("wide")
    with pytest.raises(ResultError, match=r"alpha\..*large statistics .* are not here"):
        results.stats_of(table, "wide")


def test_other_large_statistics_are_refused(written):
    path = written()
    table_of(300, seed=1).large.write(paths_of(path)[1])
    with pytest.raises(ResultError, match="is not the file that"):
        results.read_clips(path)
