"""The page of speed and quality: its rows, its tests, its picture."""

import csv
import io
from pathlib import Path

import pytest

from foleybench.reproduce.build import write_tables
from foleybench.reproduce.measure import Measured, read_results, row_difference
from foleybench.reproduce.plan import Setup
from foleybench.reproduce.speed_page import METRICS
from foleybench.stats.ranking import holm
from tests.made_results import make_result

PUBLISHED = Path("leaderboards/published.csv")
SKILLS = {1: 0.3, 2: 0.5, 4: 0.52, 8: 0.55, 25: 0.54}


def write(folder, skills, heads):
    named = {f"evaluations{nfe}": skill for nfe, skill in skills.items()}
    named |= {f"head-{head}": skill for head, skill in heads.items()}
    for part, skill in named.items():
        make_result(folder / "results", f"speed-full-tiny-seed0-{part}", skill=skill, metrics=tuple(METRICS))
    setup = Setup(work=folder / "work", results=folder / "results")
    missing = write_tables(setup, ["speed"], folder, PUBLISHED, "c")
    return missing, (folder / "speed.md").read_text(), read_csv(folder / "speed.csv")


def read_csv(path):
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_the_page_has_every_row_and_its_command(tmp_path):
    missing, page, rows = write(tmp_path, SKILLS, {"imf": 0.6})
    assert missing == ["speed-full-tiny-seed0-head-reflow"]
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")
    assert "Made by `foleybench reproduce speed --size tiny --seeds 1`." in page
    assert "40 clips, manifest `aaaaaaaaaaaa`" in page
    values, tests = page.split("## Against 25 evaluations")
    assert [line.split(" | ")[0].strip("| ") for line in values.splitlines() if line.startswith("| ")][2:] == [
        *("1", "2", "4", "8", "25", "1 (head `imf`)")
    ]
    assert tests.count("\n| ") == 2 + 5
    assert {(row["nfe"], row["head"]) for row in rows} == {*((str(nfe), "") for nfe in SKILLS), ("1", "imf")}


def test_the_number_of_clips_is_that_of_the_scored_ones(tmp_path):
    name = "speed-full-tiny-clips20-seed0-evaluations8"
    make_result(tmp_path / "results", name, metrics=tuple(METRICS))
    write_tables(Setup(work=tmp_path, results=tmp_path / "results", clips=20), ["speed"], tmp_path, PUBLISHED, "c")
    page = (tmp_path / "speed.md").read_text()
    assert "the first 20 of 40 clips" in page
    assert "A head is fine-tuned" not in page
    assert "--clips 20`" in page


@pytest.mark.parametrize("name", METRICS)
def test_differences_are_paired_with_the_most_evaluations_and_corrected(tmp_path, name):
    _, page, rows = write(tmp_path, SKILLS, {"imf": 0.6, "reflow": 0.2})
    results = read_results(tmp_path / "results")
    names = [*(f"evaluations{nfe}" for nfe in (1, 2, 4, 8)), "head-imf", "head-reflow"]
    measured = {one: Measured([results[f"speed-full-tiny-seed0-{one}"]]) for one in (*names, "evaluations25")}
    gaps = [row_difference(name, measured[one], measured["evaluations25"]) for one in names]
    told = [row for row in rows if row["metric"] == name and row["less_most"]]
    assert [float(row["less_most"]) for row in told] == pytest.approx([gap.difference for gap in gaps])
    assert [float(row["p_value"]) for row in told] == pytest.approx(holm([gap.p_value for gap in gaps]))
    column = 1 + list(METRICS).index(name)
    lines = [line for line in page.split("## Against")[1].splitlines() if line.startswith("| ")][2:]
    bold = ["**" in line.split("|")[1 + column] for line in lines]
    assert bold == [float(row["p_value"]) < 0.05 for row in told]
    assert any(bold)


def test_heads_alone_are_compared_with_nothing(tmp_path):
    _, page, rows = write(tmp_path, {}, {"imf": 0.6, "reflow": 0.5})
    assert "## Against" not in page
    assert "A head is fine-tuned" in page
    assert all(row["less_most"] == "" for row in rows)
