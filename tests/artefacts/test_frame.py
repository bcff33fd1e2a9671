import math

import pytest

from foleybench import results_frame
from foleybench.errors import FoleyError, ResultError
from foleybench.runtime import extras
from tests.made_results import make_board, make_result


def test_a_row_is_a_value_of_a_result_as_the_file_has_it(tmp_path):
    make_board(tmp_path)
    table = results_frame(tmp_path)
    assert len(table) == 7 * 3
    (noise,) = table[(table.system == "noise") & (table.metric == "kld_mini")].to_dict("records")
    assert (noise["kind"], noise["dataset"], noise["split"], noise["protocol"]) == (
        "control",
        "synthfoley",
        "test",
        "trial",
    )
    assert noise["low"] < noise["value"] < noise["high"]
    assert (noise["better"], noise["n_used"], noise["n_asked"]) == ("lower", 40, 40)
    (gone,) = table[(table.system == "delta") & (table.metric == "seconds_per_clip")].to_dict("records")
    assert math.isnan(gone["value"])
    assert (tmp_path / gone["file"]).is_file()


def test_an_empty_folder_has_the_columns_and_no_rows(tmp_path):
    table = results_frame(str(tmp_path))
    assert len(table) == 0
    assert {"system", "metric", "value"} <= set(table.columns)


def test_a_broken_file_is_named(tmp_path):
    path = make_result(tmp_path, "ours")
    path.write_text("{")
    with pytest.raises(ResultError, match=path.name):
        results_frame(tmp_path)


def test_without_pandas_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FoleyError, match=r"foleybench\[tables\]"):
        results_frame(tmp_path)
