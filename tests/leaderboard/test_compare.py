"""Two results side by side: on the intersection, and only when they can be compared."""

import pytest

from foleybench.artefacts.entries import read_all, read_entry
from foleybench.errors import ResultError
from foleybench.leaderboard import compare, tables
from foleybench.leaderboard.board import make_boards
from foleybench.pages.number_text import p_text
from foleybench.stats.ranking import holm


def ids(first, last):
    return [f"v{i:04d}_000000" for i in range(first, last)]


def test_the_table_says_how_many(tmp_path, make_result):
    a = make_result(tmp_path, "alpha", clip_ids=ids(0, 40), title="Alpha", skill=0.9)
    b = make_result(tmp_path, "beta", clip_ids=ids(15, 60), title="Be|ta", skill=0.2)
    text = compare.table(a, b)
    assert text.splitlines()[0] == "Alpha covers 40 clips, Be|ta 45, both 25."
    rows = {line.split(" | ")[0].strip("| "): line.split(" | ") for line in text.splitlines() if line.startswith("|")}
    assert list(rows) == ["Metric", "---", "event_f1 ↑", "kld_mini ↓", "seconds_per_clip ↓"]
    assert rows["event_f1 ↑"][1] == "25"
    assert "\nWithout a test, since no leaderboard ranks by it: seconds_per_clip (times depend on the machine" in text
    assert rows["Metric"][3] == "Be\\|ta"


def test_the_column_that_says_holm_is_corrected_by_holm(tmp_path, make_result):
    """Three metrics whose p-values are neither 1 nor at the least possible: the correction shows in each."""
    metrics = ("event_f1", "fad_mini", "kld_mini")
    a = make_result(tmp_path, "alpha", metrics=metrics, skill=0.60, seed=3)
    b = make_result(tmp_path, "beta", metrics=metrics, skill=0.56, seed=4)
    found = compare.compare_entries(read_entry(a), read_entry(b))
    names = sorted(found)
    raw = {name: found[name].p_value for name in names}
    corrected = dict(zip(names, holm(list(raw.values())), strict=True))
    cells = [
        line.rsplit(" | ", 1)[1].strip("| ")
        for line in compare.table(a, b).splitlines()
        if " ↓ " in line or " ↑ " in line
    ]
    assert cells == [p_text(corrected[name]) for name in names]
    assert cells[:2] != [p_text(raw[name]) for name in names][:2]
    assert "p (Holm): corrected over the 3 tested metrics of this pair." in compare.table(a, b)


@pytest.mark.parametrize("name", ["copying_share", "seconds_per_clip"])
def test_what_ranks_nobody_is_shown_and_not_tested(name, tmp_path, make_result):
    """The other metrics are corrected as if it were not there: a machine's times move no p-value."""
    ranks = ["event_f1", "kld_mini"]
    paths = [
        make_result(tmp_path, row, metrics=(*ranks, name), skill=skill) for row, skill in (("a", 0.6), ("b", 0.56))
    ]
    found = compare.compare_entries(*map(read_entry, paths))
    corrected = holm([found[rank].p_value for rank in ranks])
    text = compare.table(*paths)
    cells = {line.split()[1]: line.rsplit(" | ", 1)[1].strip("| ") for line in text.splitlines() if " [" in line}
    assert cells == dict(zip(ranks, map(p_text, corrected), strict=True)) | {name: ""}
    assert f"Without a test, since no leaderboard ranks by it: {name} (" in text
    assert "corrected over the 2 tested metrics of this pair." in text


def test_values_are_those_of_the_common_clips(tmp_path, make_result):
    a = read_entry(make_result(tmp_path, "alpha", clip_ids=ids(0, 40)))
    b = read_entry(make_result(tmp_path, "beta", clip_ids=ids(15, 60)))
    found = compare.compare_entries(a, b)["seconds_per_clip"]
    common = [a.stats("seconds_per_clip")[i]["seconds"] for i in ids(15, 40)]
    assert found.n == 25
    assert found.first == pytest.approx(sum(common) / 25)
    assert found.first != pytest.approx(a.result["metrics"]["seconds_per_clip"]["value"])


def test_a_clear_difference_is_significant_at_one_percent(tmp_path, make_result):
    """Few sign vectors give no small p-value, however large the difference."""
    a = read_entry(make_result(tmp_path, "alpha", skill=0.9))
    b = read_entry(make_result(tmp_path, "beta", skill=0.2))
    found = compare.compare_entries(a, b)["event_f1"]
    assert found.first > found.second + 0.3
    assert found.p_value is not None
    assert found.p_value < 0.01


def test_equal_values_have_no_interval_of_their_difference(tmp_path, make_result):
    """P14: as `eval` says of each; by the metric's bounds alone it was [-35, 35]. A rate has one."""
    names = ("kld_mini", "class_accuracy")
    entries = [read_entry(make_result(tmp_path, name, metrics=names)) for name in ("alpha", "beta")]
    for entry in entries:
        for row in entry.rows:
            row["stats"]["kld_mini"] = dict.fromkeys(row["stats"]["kld_mini"], 0.5)
    found = compare.compare_entries(*entries)
    assert (found["kld_mini"].difference, found["kld_mini"].low, found["kld_mini"].high) == (0, None, None)
    assert found["class_accuracy"].low is not None
    line = compare._line("kld_mini", entries[0].result["metrics"]["kld_mini"], found["kld_mini"], 1.0)
    assert line[-2:] == ["none: all values are equal", "1.00"]


def test_no_common_clips(tmp_path, make_result):
    a = make_result(tmp_path, "alpha", clip_ids=ids(0, 10))
    b = make_result(tmp_path, "beta", clip_ids=ids(10, 20))
    text = compare.table(a, b)
    assert "both 0" in text
    assert "| event_f1 ↑ | 0 | undefined | undefined |  |  |  |" in text


def subset(name):
    return {"name": name, "sha256": name[0] * 64, "n_ids": 50, "n_here": 40}


def test_subsets_of_one_manifest_are_compared_on_their_common_clips_and_that_is_said(tmp_path, make_result):
    a = make_result(tmp_path, "alpha", clip_ids=ids(0, 40), subset=subset("mmaudio"))
    b = make_result(tmp_path, "beta", clip_ids=ids(15, 60), subset=subset("vggsounder"))
    c = make_result(tmp_path, "gamma", clip_ids=ids(0, 60))
    lines = compare.table(a, b).splitlines()
    assert lines[0] == "alpha covers 40 clips, beta 45, both 25."
    assert lines[1].startswith(
        "The results are about different subsets (`mmaudio` and `vggsounder`): only the clips in both"
    )
    assert "(`mmaudio` and all clips)" in compare.table(a, c)
    assert "different subsets" not in compare.table(a, a)


def test_results_on_different_subsets_are_in_tables_of_their_own_and_do_not_replace_each_other(tmp_path, make_result):
    for one in (subset("mmaudio"), subset("vggsounder"), None):
        make_result(tmp_path, "alpha", subset=one)
    make_result(tmp_path, "beta", subset=subset("mmaudio"))
    boards = make_boards(read_all(tmp_path))
    assert [(board.subset, len(board.rows)) for board in boards] == [("", 1), ("mmaudio", 2), ("vggsounder", 1)]
    assert len({board.key for board in boards}) == 3
    assert "40 of 50 clips of subset mmaudio (80.0 %) (ids `mmmmmmmmmmmm`)" in tables.board_markdown(boards)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"manifest": "b" * 64}, "differ in their manifest"),
        ({"protocol": ("signal", 1)}, "differ in their protocol"),
        ({"protocol": ("trial", 2)}, "differ in the protocol's version"),
        ({"dataset": "vggsound"}, "differ in their data set"),
    ],
)
def test_what_cannot_be_compared(tmp_path, make_result, changes, message):
    a = read_entry(make_result(tmp_path, "alpha"))
    b = read_entry(make_result(tmp_path, "beta", **changes))
    with pytest.raises(ResultError, match=message):
        compare.compare_entries(a, b)


def test_metrics_of_another_version_are_left_out(tmp_path, make_result):
    changes = {"event_f1": {"version": 7}}
    a = read_entry(make_result(tmp_path, "alpha"))
    b = read_entry(make_result(tmp_path, "beta", changes=changes))
    assert "event_f1" not in compare.compare_entries(a, b)
    c = read_entry(make_result(tmp_path, "gamma", metrics=("event_f1",), changes=changes))
    with pytest.raises(ResultError, match="no metric of the same version"):
        compare.compare_entries(a, c)
