"""The verb: what it writes, that it repeats, and when ``--check`` ends with 4."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from foleybench.artefacts import shipped
from foleybench.cli import main
from foleybench.leaderboard import tables
from tests.made_results import make_board, make_result

TABLES = ("index.html", "synthfoley.csv", "synthfoley.md", "published.md")
PUBLISHED = Path(__file__).parents[2] / "leaderboards" / "published.csv"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A leaderboard that is current; read only."""
    home = tmp_path_factory.mktemp("home")
    make_board(home / "results")
    shutil.copy(PUBLISHED, home / "published.csv")
    assert run(home) == 0
    return home


@pytest.fixture
def home(made, tmp_path):
    """A copy that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "home"))


def run(home, *more):
    return main(["leaderboard", "--results", str(home / "results"), "--out", str(home), *more])


def snapshot(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_files(made):
    names = {path.name for path in made.iterdir() if path.is_file()}
    assert names == {"index.html", "published.csv", "published.md", "synthfoley.csv", "synthfoley.md"}


def test_current_is_zero_and_check_writes_nothing(home, capsys):
    before = snapshot(home)
    assert run(home, "--check") == 0
    assert snapshot(home) == before
    assert capsys.readouterr().out == ""


def test_again_gives_the_same_bytes(home):
    before = snapshot(home)
    assert run(home) == 0
    assert snapshot(home) == before


def test_the_page_is_printed(home, capsys):
    assert run(home) == 0
    assert capsys.readouterr().out == f"{home / 'index.html'}\n"


def test_an_edited_result_is_four_and_named(home, capsys):
    (path,) = (home / "results" / "synthfoley").glob("alpha.*.json")
    result = json.loads(path.read_text())
    result["metrics"]["event_f1"]["value"] = 0.999
    path.write_text(json.dumps(result))
    assert run(home, "--check") == 4
    assert path.name in capsys.readouterr().err
    assert run(home) == 1


def test_an_edited_clip_table_is_four(home, capsys):
    (path,) = (home / "results" / "synthfoley").glob("alpha.*.clips.jsonl.gz")
    path.write_bytes(path.read_bytes()[:-1])
    assert run(home, "--check") == 4
    assert path.name in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "how"),
    [
        *((name, "edited") for name in TABLES),
        (TABLES[0], "removed"),
        *(pytest.param(name, "removed", marks=pytest.mark.slow) for name in TABLES[1:]),
    ],
)
def test_a_changed_table_is_four(home, capsys, name, how):
    path = home / name
    path.unlink() if how == "removed" else path.write_bytes(path.read_bytes() + b" ")
    assert run(home, "--check") == 4
    assert str(path) in capsys.readouterr().err


def test_an_edited_list_of_reported_values_is_four(home):
    path = home / "published.csv"
    path.write_text(path.read_text().replace("3.78", "3.70"))
    assert run(home, "--check") == 4


def test_a_new_result_is_four_until_the_tables_are_made(home):
    make_result(home / "results", "new")
    assert run(home, "--check") == 4
    assert run(home) == 0
    assert run(home, "--check") == 0


def test_tables_of_a_data_set_that_is_gone(home, capsys):
    make_result(home / "results", "alpha", dataset="gone")
    (home / "notes.md").write_text("mine\n")
    assert run(home) == 0
    shutil.rmtree(home / "results" / "gone")
    assert run(home, "--check") == 4
    assert "gone.md belongs to no result" in capsys.readouterr().err
    assert run(home) == 0
    assert not (home / "gone.csv").exists()
    assert (home / "notes.md").exists()
    assert (home / "published.csv").exists()


def test_reported_values_never_enter_the_measured_table(made):
    with (made / "synthfoley.csv").open() as handle:
        systems = {line["system"] for line in csv.DictReader(handle)}
    assert systems == {"alpha", "beta", "gamma", "delta", "half", "truth", "noise"}
    assert (made / "published.md").read_text().startswith(tables.MARK)
    assert "SpecVQGAN" not in (made / "synthfoley.md").read_text()


def test_without_reported_values(home):
    assert run(home, "--published", "none") == 0
    assert "arXiv" not in (home / "index.html").read_text()
    assert not (home / "published.md").exists()


def test_no_results_folder(tmp_path, capsys):
    assert main(["leaderboard", "--results", str(tmp_path / "no"), "--out", str(tmp_path)]) == 1
    assert "run `foleybench eval` first" in capsys.readouterr().err


def test_without_results_here_those_of_the_package_are_shown_and_it_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path / "package")
    make_board(tmp_path / "package" / "results")
    shutil.copy(PUBLISHED, tmp_path / "package")
    assert main(["leaderboard", "--out", "board"]) == 0
    assert "no folder at leaderboards/results: showing the results that come" in capsys.readouterr().err
    assert {path.name for path in Path("board").iterdir()} == {
        *("index.html", "published.md", "synthfoley.csv", "synthfoley.md")
    }
    assert main(["leaderboard", "--out", "board", "--check"]) == 1  # a check is about what lies here
    assert "no folder at leaderboards/results" in capsys.readouterr().err


def test_no_results_yet_still_makes_the_page(tmp_path):
    (tmp_path / "results").mkdir()
    assert run(tmp_path) == 0
    assert "No results yet" in (tmp_path / "index.html").read_text()
    assert run(tmp_path, "--check") == 0


def test_compare(home, capsys):
    paths = [str(next((home / "results" / "synthfoley").glob(f"{name}.*.json"))) for name in ("alpha", "gamma")]
    assert main(["leaderboard", "--compare", *paths]) == 0
    out = capsys.readouterr().out
    assert "Alpha covers 40 clips, Gamma 40, both 40." in out
    assert "| event_f1 ↑ | 40 |" in out


def test_two_processes_give_the_same_bytes(made, tmp_path):
    """Hash randomisation and import order must not reach the files."""
    import subprocess
    import sys

    command = [sys.executable, "-m", "foleybench.cli", "leaderboard", "--results", str(made / "results")]
    command += ["--out", str(tmp_path), "--published", str(PUBLISHED)]
    subprocess.run(command, check=True, capture_output=True, env={"PYTHONHASHSEED": "77", "PATH": ""})
    for name in ("index.html", "synthfoley.csv", "synthfoley.md", "published.md"):
        assert (tmp_path / name).read_bytes() == (made / name).read_bytes()
