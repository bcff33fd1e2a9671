"""Boards: who is ranked, what an empty cell says, what never shares a table."""

from types import SimpleNamespace

import pytest

from foleybench import registry
from foleybench.artefacts.entries import read_all
from foleybench.errors import ResultError
from foleybench.leaderboard import cell_text
from foleybench.leaderboard.board import make_boards
from foleybench.leaderboard.columns import columns_of


def board_of(folder):
    (board,) = make_boards(read_all(folder))
    return board


def row_of(board, name):
    (row,) = [row for row in board.rows if row.entry.row_name == name]
    return row


def test_ranked_rows_come_first_best_on_top(board_folder):
    board = board_of(board_folder)
    names = [row.entry.row_name for row in board.rows]
    assert names == ["alpha", "beta", "delta", "gamma", "half", "truth", "noise"]
    assert [bool(row.why_unranked) for row in board.rows] == [False] * 4 + [True] * 3


def test_rows_of_one_title_are_told_apart_by_name(board_folder, make_result):
    make_result(board_folder, "alpha2", title=row_of(board_of(board_folder), "alpha").title)
    board = board_of(board_folder)
    assert [row_of(board, name).title.endswith(f" ({name})") for name in ("alpha", "alpha2", "beta")] == [
        True,
        True,
        False,
    ]


def test_systems_that_cannot_be_told_apart_share_ranks(board_folder):
    board = board_of(board_folder)
    ranks = {name: row_of(board, name).cells["event_f1"].standing for name in ("alpha", "beta", "delta", "gamma")}
    assert ranks["alpha"][:2] == ranks["beta"][:2] == (1, 2)
    assert ranks["alpha"].best
    assert ranks["beta"].best
    assert ranks["delta"][:2] == (3, 3)
    assert ranks["gamma"][:2] == (4, 4)
    assert not ranks["gamma"].best


@pytest.mark.parametrize("name", ["half", "truth", "noise"])
def test_oracles_controls_and_partial_results_are_never_ranked(board_folder, name):
    row = row_of(board_of(board_folder), name)
    assert row.why_unranked
    assert all(cell.standing is None for cell in row.cells.values())
    assert row.cells["event_f1"].value is not None


def test_a_partial_result_says_how_partial(board_folder):
    assert row_of(board_of(board_folder), "half").why_unranked == "partial: 40 of 40 clips scored"


def test_empty_cells_say_why(board_folder, make_result):
    make_result(board_folder, "few", metrics=("event_f1",), skill=0.1)
    bad = [{"clip_id": "v0000_000000", "kind": "bad_features", "detail": "kld_mini: mini_class.logits is not finite"}]
    gone = {"kld_mini": {"value": None, "low": None, "high": None, "reason": "nothing left"}}
    make_result(board_folder, "broken", status="partial", changes=gone, problems=bad)
    board = board_of(board_folder)
    cells = row_of(board, "delta").cells
    assert (cells["seconds_per_clip"].state, cells["seconds_per_clip"].reason) == ("undefined", "speed is not reported")
    assert cells["kld_mini"].state == "stale"
    assert "version 0 of the metric, 2 counts" in cells["kld_mini"].reason
    assert cells["kld_mini"].standing is None
    assert row_of(board, "few").cells["kld_mini"].state == "not_run"
    failed = row_of(board, "broken").cells["kld_mini"]
    assert failed.state == "failed"
    assert "v0000_000000" in failed.reason


def test_an_old_protocol_makes_the_row_stale(tmp_path, make_result):
    version = registry.load("protocols", "signal").version
    make_result(tmp_path, "old", protocol=("signal", version - 1))
    make_result(tmp_path, "new", protocol=("signal", version))
    board = board_of(tmp_path)
    old = row_of(board, "old").cells["event_f1"]
    assert (old.state, old.standing) == ("stale", None)
    assert row_of(board, "new").cells["event_f1"].standing[:2] == (1, 1)


def test_other_clips_are_another_table(tmp_path, make_result):
    make_result(tmp_path, "alpha")
    make_result(tmp_path, "beta", manifest="b" * 64)
    make_result(tmp_path, "alpha", dataset="vggsound")
    make_result(tmp_path, "alpha", protocol=("signal", 1))
    boards = make_boards(read_all(tmp_path))
    assert [len(board.rows) for board in boards] == [1, 1, 1, 1]
    assert len({board.key for board in boards}) == 4


def test_two_results_of_one_system_are_refused(tmp_path, make_result):
    first = make_result(tmp_path, "alpha", seed=0)
    kept = first.read_bytes(), first.with_name(first.name.replace(".json", ".clips.jsonl.gz")).read_bytes()
    second = make_result(tmp_path, "alpha", seed=1)
    first.write_bytes(kept[0])
    first.with_name(first.name.replace(".json", ".clips.jsonl.gz")).write_bytes(kept[1])
    with pytest.raises(ResultError, match="are both about 'alpha'") as error:
        read_all(tmp_path)
    assert first.name in str(error.value)
    assert second.name in str(error.value)


@pytest.mark.parametrize("name", ["index", "published"])
def test_a_data_set_may_not_have_the_name_of_our_files(tmp_path, make_result, name):
    make_result(tmp_path, "alpha", dataset=name)
    with pytest.raises(ResultError, match="Rename the data set"):
        read_all(tmp_path)


def test_a_metric_that_is_not_installed_is_shown_and_not_ranked(tmp_path, make_result, monkeypatch):
    make_result(tmp_path, "alpha")
    make_result(tmp_path, "beta")
    monkeypatch.setattr("foleybench.registry.names", lambda kind: [])
    cell = row_of(board_of(tmp_path), "alpha").cells["event_f1"]
    assert cell.state == "ok"
    assert cell.standing is None


def test_times_are_shown_and_not_ranked(board_folder):
    board = board_of(board_folder)
    cell = row_of(board, "alpha").cells["seconds_per_clip"]
    assert (cell.state, cell.standing) == ("ok", None)
    assert cell.reason.startswith("no ranks: times depend on the machine, on what ran beside")
    assert not any(row.cells["seconds_per_clip"].standing for row in board.rows)
    assert board.comparisons["seconds_per_clip"] == ()
    assert row_of(board, "alpha").cells["event_f1"].standing is not None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("source_recall", "additional sounds cost nothing"),
        ("event_offset", "neither missed events nor additional sounds cost anything"),
    ],
)
def test_what_dense_clicks_win_is_shown_and_not_ranked(tmp_path, make_result, name, why):
    """Neither column charges for false alarms: a click every 50 ms beats every system in both."""
    for system in ("alpha", "beta"):
        make_result(tmp_path, system, metrics=("event_f1_25ms", name), skill=0.9 if system == "alpha" else 0.1)
    board = board_of(tmp_path)
    cells = [row.cells[name] for row in board.rows]
    assert all(cell.value is not None for cell in cells)
    assert [(cell.state, cell.standing) for cell in cells] == [("ok", None)] * 2
    assert {cell.reason for cell in cells} == {f"no ranks: {why}"}
    assert board.comparisons[name] == ()
    assert row_of(board, "alpha").cells["event_f1_25ms"].standing is not None


def test_a_board_has_one_number_of_seconds_per_clip(tmp_path, make_result):
    """Where the metric is there, its mean over the timed clips is the number, not that of those timed apart."""
    make_result(tmp_path, "alpha")
    with_metric = board_of(tmp_path)
    (row,) = with_metric.rows
    assert not with_metric.speed_column
    assert row.seconds_per_clip == row.cells["seconds_per_clip"].value
    make_result(tmp_path, "alpha", metrics=("event_f1",), dataset="clicks")
    without = next(board for board in make_boards(read_all(tmp_path)) if board.dataset == "clicks")
    assert without.speed_column
    timed = without.rows[0].entry.result["run"]["generation"]["speed"]["batch_1"]["seconds_per_clip"]
    assert without.rows[0].seconds_per_clip == timed != row.seconds_per_clip


@pytest.mark.parametrize(("name", "shown"), [("flow-nfe1", "Flow"), ("mine", "Flow (mine)")])
def test_a_name_given_by_hand_stands_beside_the_title(tmp_path, make_result, name, shown):
    make_result(tmp_path, name, title="Flow", section={"registry_name": "flow"})
    assert row_of(board_of(tmp_path), name).title == shown


def test_headline_metrics_follow_the_protocol(tmp_path, make_result):
    make_result(tmp_path, "alpha", protocol=("synth", 2))
    board = board_of(tmp_path)
    assert [column.name for column in board.columns][:2] == ["event_f1_25ms", "event_f1"]
    assert {column.axis: column.name for column in board.headlines}["timing"] == "event_f1_25ms"


def test_no_results():
    assert make_boards([]) == []


def test_numbers_of_other_weights_are_shown_and_not_ranked(tmp_path, make_result, monkeypatch):
    for name in ("alpha", "beta"):
        make_result(tmp_path, name)
    reasons = {"event_f1": ["", "judged with other weights"]}
    monkeypatch.setattr(
        "foleybench.leaderboard.board.other_weights",
        lambda results, metric: reasons["event_f1"] if metric.title.startswith("Event F1") else [""] * len(results),
    )
    board = board_of(tmp_path)
    cells = [row_of(board, name).cells["event_f1"] for name in ("alpha", "beta")]
    assert [cell.state for cell in cells] == ["ok", "stale"]
    assert cells[1].standing is None
    assert cells[1].value is not None


def test_half_length_sounds_are_not_ranked(tmp_path, make_result):
    """Audio of 4.1 s for clips of 8.3 s are scored with silence for the rest; the row says why it has no rank."""
    problem = {"clip_id": "clip", "detail": "4.1000 s of audio for a clip of 8.3000 s"}
    make_result(tmp_path, "halves", problems=[{**problem, "kind": "too_short"}] * 12)
    make_result(tmp_path, "nearly", problems=[{**problem, "kind": "short"}] * 12)
    board = board_of(tmp_path)
    assert row_of(board, "halves").why_unranked == (
        "12 of 40 audio files last less than 95 % of what is scored of their clip"
    )
    assert all(cell.standing is None for cell in row_of(board, "halves").cells.values())
    assert row_of(board, "nearly").why_unranked == ""


def test_intervals_of_an_older_method_are_made_anew_from_the_clip_table(tmp_path, make_result):
    """The recorded one is 5 % to either side."""
    make_result(tmp_path / "new", "alpha")
    make_result(tmp_path / "old", "alpha", changes={"kld_mini": {"method": 1}})
    new, old = (row_of(board_of(tmp_path / age), "alpha").cells["kld_mini"] for age in ("new", "old"))
    assert (new.low, new.high) == pytest.approx((0.95 * new.value, 1.05 * new.value))
    assert old.value == new.value
    assert old.low < old.value < old.high
    assert (old.low, old.high) != (new.low, new.high)


@pytest.mark.parametrize(("n", "interval", "approximate"), [(5, False, True), (7, True, True), (8, True, False)])
def test_few_videos_have_no_interval_or_a_marked_one(tmp_path, make_result, n, interval, approximate):
    ids = [f"v{index}_000000" for index in range(n)]
    make_result(tmp_path, "alpha", clip_ids=ids, n_clips=n, metrics=("kld_mini",), changes={"kld_mini": {"method": 1}})
    board = board_of(tmp_path)
    cell = row_of(board, "alpha").cells["kld_mini"]
    assert (cell.low is not None, cell.approximate) == (interval, approximate)
    assert bool(cell.notes) == approximate
    assert cell_text.interval(cell, 2).startswith("≈ [" if approximate and interval else "[" if interval else "")


def test_the_copying_share_stands_beside_the_distance_that_it_is_read_with_and_ranks_nobody(tmp_path, make_result):
    asked = ("class_accuracy", "fad_mini", "align_acc_mini", "seconds_per_clip")
    synth = ("synth", registry.load("protocols", "synth").version)
    make_result(tmp_path, "copier", protocol=synth, metrics=(*asked, "copying_share"), skill=0.9)
    make_result(tmp_path, "other", protocol=synth, metrics=asked, skill=0.2)
    board = board_of(tmp_path)
    names = [column.name for column in board.columns]
    assert names[names.index("fad_mini") + 1] == "copying_share"
    assert [name for name in names if name != "copying_share"] == list(registry.load("protocols", "synth").metrics)
    assert row_of(board, "copier").cells["copying_share"].standing is None
    assert row_of(board, "other").cells["copying_share"].state == "not_run"


def test_a_column_without_those_that_it_is_read_with_comes_last(tmp_path, make_result):
    make_result(tmp_path, "copier", metrics=("event_f1", "copying_share", "seconds_per_clip"))
    assert board_of(tmp_path).columns[-1].name == "copying_share"


def test_it_stands_behind_the_last_of_several_distances():
    entry = SimpleNamespace(result={"metrics": dict.fromkeys(("copying_share", "fad_mini", "fad_vggish", "kld_mini"))})
    assert [column.name for column in columns_of([entry], None)] == [
        "fad_mini",
        "fad_vggish",
        "copying_share",
        "kld_mini",
    ]
