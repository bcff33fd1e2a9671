"""The column `people`: whose it is, its ranks, and the agreement of metrics on the page."""

import csv
import itertools

import numpy as np
import pytest
from scipy import special

from foleybench.artefacts.entries import read_all
from foleybench.artefacts.people import write_people
from foleybench.cli import main
from foleybench.leaderboard import page, tables
from foleybench.leaderboard.board import make_boards
from foleybench.leaderboard.people_column import agreement_rows, with_people
from foleybench.people.metric_agreement import agreement_table
from foleybench.people.screening import Screened
from foleybench.people.summary import Study, summarise
from foleybench.people.votes import Vote

LIKED = {"alpha": 1.5, "beta": 1.3, "gamma": -1.0, "truth": 3.0}


def listening(folder, results, question="Which fits?", liked=LIKED, manifest="a" * 64):
    rng = np.random.default_rng(0)
    votes = []
    for rater, clip in itertools.product(range(10), range(10)):
        for first, second in itertools.combinations(liked, 2):
            hits = float(rng.random() < special.expit(liked[first] - liked[second]))
            votes.append(Vote(f"r{rater}", f"v{clip // 2:04d}_{clip:06d}", first, second, hits))
    dataset = {"name": "synthfoley", "split": "test", "manifest_sha256": manifest}
    study = Study(question=question, dataset=dataset, sources={})
    found = summarise(Screened(votes, [], ""), study)
    found["metrics"] = agreement_table(found, votes, study, read_all(results), set())
    return write_people(folder, found), found


@pytest.fixture
def home(board_folder):
    listening(board_folder.parent / "people", board_folder)
    return board_folder.parent


def boards_of(home):
    return with_people(make_boards(read_all(home / "results")), home / "people")


def test_values_ranks_and_who_was_not_in_it(home):
    (board,) = boards_of(home)
    assert board.columns[-1].name == "people"
    cells = {row.entry.row_name: row.cells["people"] for row in board.rows}
    assert cells["delta"].state == "not_run"
    assert cells["delta"].reason == "not in the listening test"
    assert cells["truth"].value > cells["alpha"].value > cells["gamma"].value
    assert cells["alpha"].low < cells["alpha"].value < cells["alpha"].high
    assert cells["truth"].standing is None  # an oracle is shown, never ranked
    assert cells["gamma"].standing == (3, 3, False)
    assert cells["alpha"].standing == cells["beta"].standing == (1, 2, True)


def test_another_test_set_and_no_folder_change_nothing(board_folder):
    boards = make_boards(read_all(board_folder))
    assert with_people(boards, board_folder.parent / "people") == boards
    listening(board_folder.parent / "people", board_folder, manifest="b" * 64)
    assert with_people(boards, board_folder.parent / "people") == boards


def test_two_questions_are_two_columns(home):
    listening(home / "people", home / "results", question="Which sounds better?")
    (board,) = boards_of(home)
    titles = {column.name: column.title for column in board.columns}
    assert {titles["people"], titles["people_2"]} == {"People: Which fits?", "People: Which sounds better?"}
    assert "people_2" in {line["metric"] for line in csv.DictReader(tables.board_csv([board]).splitlines())}


def test_page_and_tables_show_it(home):
    (board,) = boards_of(home)
    made = page.render_leaderboard([board], [])
    assert 'data-metric="people"' in made
    assert "How well the metrics agree with people" in made
    assert "400 votes" not in made
    assert "300 votes of 10 raters" in made
    assert "not in the listening test" in made
    assert "People (%) ↑" in tables.board_markdown([board])
    (line,) = [
        line
        for line in csv.DictReader(tables.board_csv([board]).splitlines())
        if line["metric"] == "people" and line["system"] == "alpha"
    ]
    assert float(line["value"]) == pytest.approx(
        next(r for r in board.rows if r.entry.row_name == "alpha").cells["people"].value
    )


def test_agreement_of_other_versions_is_not_shown(home):
    (board,) = boards_of(home)
    assert {record["metric"] for record in agreement_rows(board)} == {"event_f1", "kld_mini", "seconds_per_clip"}
    found = next(iter(board.people.values()))
    found["metrics"][0]["version"] += 1
    assert len(agreement_rows(board)) == 2
    assert agreement_rows(make_boards(read_all(home / "results"))[0]) == []


def test_the_command_takes_the_folder_beside_the_results(home, capsys):
    words = ["leaderboard", "--results", str(home / "results"), "--out", str(home), "--published", "none"]
    assert main(words) == 0
    assert 'data-metric="people"' in (home / "index.html").read_text()
    assert main([*words, "--check"]) == 0
    path = next((home / "people").iterdir())
    path.write_text(path.read_text().replace("Which fits?", "Which is louder?"))
    assert main([*words, "--check"]) == 4
    assert "was edited after it was written" in capsys.readouterr().err
    path.unlink()
    assert main([*words, "--check"]) == 4
    assert main([*words, "--people", str(home / "elsewhere")]) == 0
    assert 'data-metric="people"' not in (home / "index.html").read_text()
