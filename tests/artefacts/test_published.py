"""The list of reported values: complete, with sources, and refused when it is not."""

from pathlib import Path

import pytest

from foleybench.artefacts.published import FIELDS, across_lineages, read_published, tables
from foleybench.errors import ResultError

LIST = Path(__file__).parents[2] / "leaderboards" / "published.csv"
HEAD = ",".join(FIELDS)
GOOD = '1,A,KLD,1.50,nat,lower,VGGSound,"arXiv 1, Table 1, row A, column KLD",unstated,mine,A'


@pytest.fixture(scope="module")
def values():
    return read_published(LIST)


def test_counts(values):
    """Rows x columns of each table of the paper."""
    per_table = {table.number: (len(table.rows), len(table.metrics)) for table in tables(values)}
    paper = {"1": (10, 3), "2": (4, 3), "3": (6, 3), "4": (2, 3), "5": (5, 3)}
    others = {"6": (11, 8), "7": (1, 6), "8": (6, 11), "12": (6, 7), "9": (7, 2), "10": (2, 1), "11": (1, 5)}
    others |= {"13": (1, 1), "14": (1, 1), "15": (6, 11)}
    assert per_table == paper | others
    assert len(values) == 81 + 88 + 6 + 66 + 42 + 66 + 14 + 2 + 5 + 2


def test_a_table_holds_one_lineage_and_lineages_are_compared_by_system(values, tmp_path):
    assert all(len({value.lineage for value in values if value.table == number}) == 1 for number in "123456789")
    other = GOOD.replace(",A,KLD", ",B,KLD").replace("mine", "theirs")
    path = tmp_path / "published.csv"
    path.write_text(f"{HEAD}\n{GOOD}\n{other}\n")
    with pytest.raises(ResultError, match=r"lineages 'mine' and 'theirs' in table 1; give each a table"):
        read_published(path)
    found = {(one.system, one.family): [value.value for value in one.values] for one in across_lineages(values)}
    assert found[("V2A-Mapper", "KL")] == ["2.78", "2.69", "2.56"]
    assert found[("V2A-Mapper", "FAD")] == ["0.99", "0.84"]
    assert found[("Frieren", "FAD")] == ["1.34", "1.32"]
    assert found[("Diff-Foley", "Align Acc")] == ["82.47", "93.9"]
    assert not [key for key in found if key[0] in ("MMAudio-S-16k", "V-AURA")]  # of one lineage


@pytest.mark.parametrize(
    ("table", "row", "metric", "value"),
    [
        ("1", "SpecVQGAN [10]", "KLD", "3.78"),
        ("1", "V2A-Mapper [52]", "FAD", "0.99"),
        ("1", "MaskVAT [41]", "Align Acc", "63.87"),
        ("1", "Foley-Flow (ours)", "KLD", "0.97"),
        ("2", "VAMA no, GVAF no", "FAD", "6.40"),
        ("2", "VAMA yes, GVAF no", "Align Acc", "96.29"),
        ("2", "VAMA no, GVAF yes", "KLD", "1.92"),
        ("3", "MAE video, AudioMAE audio", "FAD", "0.65"),
        ("3", "EVA-CLIP video, ImageBind audio", "KLD", "1.01"),
        ("4", "DCF", "Align Acc", "97.73"),
        ("5", "masking ratio 0.9", "Align Acc", "98.96"),
        ("5", "masking ratio 0.3", "FAD", "1.06"),
        ("6", "V-AURA", "DeSync", "0.654"),
        ("8", "V-AURA", "FD_PANNs", "33.15"),
        ("12", "HunyuanVideo-Foley", "PQ", "6.59"),
        ("15", "V-AURA", "FD_PaSST", "291.72"),
        ("15", "FoleyCrafter", "CLAP", "0.19"),
        ("15", "HunyuanVideo-Foley", "PC", "2.78"),
    ],
)
def test_spot_values(values, table, row, metric, value):
    assert [v.value for v in values if (v.table, v.row, v.metric) == (table, row, metric)] == [value]


def test_every_value_has_its_source_to_the_cell(values):
    higher = {"Align Acc", "IS", "IB", "IB-score", "CLAP", "PQ", "CE", "CU"}
    for value in values:
        assert value.source.endswith(f", row {value.row}, column {value.metric}")
        if value.lineage == "Foley-Flow paper":
            assert value.source.startswith(f"arXiv 2603.08126, Table {value.table}, ")
        assert value.note
        assert value.better == ("higher" if value.metric in higher else "lower")


def test_the_full_model_has_the_same_numbers_everywhere(values):
    full = {
        "1": "Foley-Flow (ours)",
        "2": "VAMA yes, GVAF yes",
        "3": "EVA-CLIP video, AudioMAE audio",
        "4": "GDCF",
        "5": "masking ratio 0.8",
    }
    for table, row in full.items():
        assert [v.value for v in values if (v.table, v.row) == (table, row)] == ["0.97", "0.52", "98.97"]


def test_column_sums(values):
    """A slipped digit anywhere changes one of these."""
    sums = {}
    for value in values:
        key = value.table, value.metric
        sums[key] = round(sums.get(key, 0) + float(value.value), 2)
    assert sums[("1", "KLD")] == 26.21
    assert sums[("1", "FAD")] == 32.63
    assert sums[("1", "Align Acc")] == 755.2
    assert sums[("3", "KLD")] == 6.95
    assert sums[("5", "Align Acc")] == 493.2
    assert sums[("15", "FD_PaSST")] == 875.64
    assert sums[("15", "CU")] == 32.66


def test_notes_are_said_once_with_what_they_are_about(values):
    first, second = tables(values)[:2]
    assert len(first.notes) == 4
    assert first.notes[0].startswith("KLD: PaSST features; direction, logarithm")
    assert "All but Foley-Flow (ours): Whether this row was run again" in first.notes[1]
    assert "VAMA no, GVAF no: All three values equal Table 1's Diff-Foley row." in second.notes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEAD}\n{GOOD.replace('1.50', 'nan')}\n", "line 2 needs a finite value"),
        (f"{HEAD}\n{GOOD.replace('1.50', 'good')}\n", "line 2 needs a finite value"),
        (f"{HEAD}\n{GOOD.replace('lower', 'smaller')}\n", "better = higher or lower"),
        (f"{HEAD}\n{GOOD.replace('mine', '')}\n", "a lineage"),
        (f"{HEAD}\n{GOOD}\n{GOOD}\n", "twice"),
        (f"{HEAD}\n1,A,KLD\n", "line 2 does not have the columns"),
        (f"{HEAD}\n{GOOD},more\n", "line 2 does not have the columns"),
        ("a,b\n1,2\n", "does not have the columns"),
    ],
)
def test_what_is_refused(tmp_path, text, message):
    path = tmp_path / "published.csv"
    path.write_text(text)
    with pytest.raises(ResultError, match=message):
        read_published(path)


def test_a_missing_list_is_named(tmp_path):
    with pytest.raises(ResultError, match=r"nowhere\.csv cannot be read"):
        read_published(tmp_path / "nowhere.csv")
