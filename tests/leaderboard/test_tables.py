"""CSV and Markdown: every number, and nothing that a reader's program would run."""

import csv
import io
import re

import pytest

from foleybench.artefacts.entries import read_all
from foleybench.leaderboard import tables
from foleybench.leaderboard.board import make_boards

HOSTILE = "=cmd|'/c calc'!A1 <img src=x onerror=alert(1)> *b* | `c`"


def read(folder):
    boards = make_boards(read_all(folder))
    return boards, list(csv.DictReader(io.StringIO(tables.board_csv(boards))))


def test_a_line_per_number(board_folder):
    boards, lines = read(board_folder)
    assert len(lines) == 7 * 3
    (line,) = [x for x in lines if x["system"] == "alpha" and x["metric"] == "event_f1"]
    cell = next(r for r in boards[0].rows if r.entry.row_name == "alpha").cells["event_f1"]
    assert float(line["value"]) == cell.value  # full precision
    assert (line["rank_low"], line["rank_high"], line["best"], line["state"]) == ("1", "2", "True", "ok")
    assert line["result"].startswith("synthfoley/alpha.")
    (line,) = [x for x in lines if x["system"] == "delta" and x["metric"] == "seconds_per_clip"]
    assert (line["value"], line["state"], line["reason"]) == ("", "undefined", "speed is not reported")
    (line,) = [x for x in lines if x["system"] == "half" and x["metric"] == "event_f1"]
    assert (line["rank_low"], line["status"]) == ("", "partial")


def test_markdown_golden(tmp_path, make_result):
    make_result(tmp_path, "alpha", title="Alpha", skill=0.9, metrics=("event_f1",))
    make_result(tmp_path, "noise", title="Noise", kind="control", skill=0.05, metrics=("event_f1",))
    text = tables.board_markdown(make_boards(read_all(tmp_path)))
    lines = text.splitlines()
    assert lines[0] == tables.MARK
    assert lines[2:7] == ["# synthfoley", "", "## trial on synthfoley / test", "", "40 clips, manifest `aaaaaaaaaaaa`."]
    assert lines[8] == "| System | Kind | Event F1 (50 ms) ↑ | Parameters | Seconds / clip | Clips |"
    assert lines[9] == "| --- | --- | ---: | ---: | ---: | ---: |"
    assert lines[10].startswith("| Alpha | model | 0.")
    assert lines[10].endswith(" · 1 | 1.9 M | 0.28 cpu | 40/40 |")
    assert lines[11].startswith("| Noise | control (not ranked) | 0.")
    assert text.endswith("\n")
    assert "without ranks" not in text
    assert "5 %, Holm\nover all pairs of ranked systems of one column" in text
    assert "divided, so not the mean of the clips' values:\nEvent F1 (50 ms).\n" in text


def test_means_over_clips_are_not_named_among_the_sums(tmp_path, make_result):
    make_result(tmp_path, "alpha", metrics=("kld_mini", "event_f1", "seconds_per_clip"))
    text = tables.board_markdown(make_boards(read_all(tmp_path)))
    assert "values:\nEvent F1 (50 ms).\n" in text
    make_result(tmp_path, "alpha", metrics=("kld_mini",))
    assert "not the mean" not in tables.board_markdown(make_boards(read_all(tmp_path)))


@pytest.mark.parametrize(
    ("n_listed", "subset", "shown"),
    [
        (15446, None, "40 of 15,446 clips asked for (0.26 %), manifest"),
        (None, None, "40 clips, manifest"),
        (15446, 15221, "40 of 15,221 clips of subset \\_part\\_ (0.26 %) (ids `cccccccccccc`), manifest"),
        (15446, 40, "40 clips of subset \\_part\\_ (ids `cccccccccccc`), manifest"),
    ],
)
def test_the_heading_says_how_much_of_the_list_a_table_covers(tmp_path, make_result, n_listed, subset, shown):
    """P13; an earlier result beside a new one says nothing of it."""
    part = subset and {"name": "_part_", "sha256": "c" * 64, "n_ids": subset, "n_here": 40}
    make_result(tmp_path, "alpha", subset=part)
    make_result(tmp_path, "beta", n_listed=n_listed, subset=part)
    assert f"\n{shown} `aaaaaaaaaaaa`.\n" in tables.board_markdown(make_boards(read_all(tmp_path)))


def test_why_a_system_has_no_rank_stands_under_the_table(tmp_path, make_result):
    """P4: of systems alone; a control's kind says it."""
    problem = {"clip_id": "clip", "detail": "8 s of audio for a clip of 10 s", "kind": "too_short"}
    make_result(tmp_path, "alpha", title="Alpha")
    make_result(tmp_path, "eight", title="*Eight*", problems=[problem] * 40, status="partial")
    make_result(tmp_path, "noise", title="Noise", kind="control")
    lost = {"clip_id": "v0000_000000", "kind": "missing", "detail": "no file"}
    make_result(tmp_path, "lost", problems=[lost], status="partial", n_scored=39)
    make_result(tmp_path, "other", title="Other", status="partial")
    lines = tables.board_markdown(make_boards(read_all(tmp_path))).splitlines()
    assert "- lost, 39/40 clips: 1 missing." in lines
    at = lines.index("Systems that are not ranked:")
    why = "40 of 40 audio files last less than 95 % of what is scored of their clip"
    told = [f"- \\*Eight\\*: {why}.", "- Other: partial: 40 of 40 clips scored."]
    assert lines[at - 1 : at + 5] == ["", lines[at], "", *told, ""]


def test_a_table_of_ranked_systems_says_nothing_of_ranks(tmp_path, make_result):
    make_result(tmp_path, "alpha")
    make_result(tmp_path, "noise", kind="control")
    assert "not ranked:" not in tables.board_markdown(make_boards(read_all(tmp_path)))


def test_a_table_says_seconds_per_clip_once(tmp_path, make_result):
    make_result(tmp_path, "alpha", title="Alpha", metrics=("event_f1", "seconds_per_clip"))
    make_result(tmp_path, "beta", title="Beta", metrics=("event_f1", "seconds_per_clip"))
    text = tables.board_markdown(make_boards(read_all(tmp_path)))
    head = next(line for line in text.splitlines() if line.startswith("| System"))
    assert head.endswith("| Seconds per clip (s) ↓ | Parameters | Device | Clips |")
    line = next(line for line in text.splitlines() if line.startswith("| Alpha"))
    assert re.search(r"\| 0\.\d+ \[0\.\d+, 0\.\d+\] \| 1\.\d M \| cpu \| 40/40 \|$", line)
    assert "\nShown without ranks:\nSeconds per clip (times depend on the machine, on what ran beside" in text


def test_columns_without_ranks_are_named_once_with_their_reasons(tmp_path, make_result):
    for system in ("alpha", "beta"):
        make_result(tmp_path, system, metrics=("event_f1_25ms", "source_recall", "event_offset"))
        make_result(tmp_path, system, metrics=("event_f1_25ms", "source_recall"), manifest="b" * 64)
    text = tables.board_markdown(make_boards(read_all(tmp_path)))
    told = text.split("Shown without ranks:\n")[1].splitlines()[0]
    assert told == (
        "Event offset (neither missed events nor additional sounds cost anything); "
        "Source recall (additional sounds cost nothing)."
    )
    line = next(line for line in text.splitlines() if line.startswith("| alpha"))
    assert line.count("**") == 2  # event F1 alone
    assert line.count(" · ") == 1


def test_bold_is_the_best_and_its_equals(board_folder):
    text = tables.board_markdown(make_boards(read_all(board_folder)))
    rows = {line.split(" | ")[0].strip("| "): line.split(" | ")[2] for line in text.splitlines() if "| model |" in line}
    assert rows["Alpha"].startswith("**0.")
    assert rows["Beta"].startswith("**0.")
    assert not rows["Delta"].startswith("**")
    assert "*stale*" in text
    assert "*undefined*" in text


def test_hostile_names_stay_text(tmp_path, make_result):
    make_result(tmp_path, "alpha", title=HOSTILE, section={"name": "alpha"})
    boards, lines = read(tmp_path)
    text = tables.board_markdown(boards)
    assert "<img" not in text
    assert "\\| \\`c\\`" in text
    (row,) = [line for line in text.splitlines() if "calc" in line]
    assert row.replace("\\|", "").count("|") == 9  # the cell did not break out of its column
    assert tables.csv_safe(HOSTILE) == "'" + HOSTILE
    assert {line["system"] for line in lines} == {"alpha"}
