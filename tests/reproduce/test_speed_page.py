"""The page of speed and quality: its rows, its tests, its picture."""

import csv
import io
from pathlib import Path

import pytest

from foleybench import cli
from foleybench.errors import ResultError
from foleybench.reproduce.build import write_tables
from foleybench.reproduce.lent import lenders, told_by
from foleybench.reproduce.measure import Measured, cell, read_results, row_difference, seed_values
from foleybench.reproduce.plan import Setup
from foleybench.reproduce.same_networks import law_within_networks
from foleybench.reproduce.speed_page import METRICS, write_speed
from foleybench.stats.ranking import holm
from tests.made_results import make_result

PUBLISHED = Path("leaderboards/published.csv")
SKILLS = {1: 0.3, 2: 0.5, 4: 0.52, 8: 0.55, 25: 0.54}


def write(folder, skills, heads, seeds=1, asked=None, **changes):
    named = {f"evaluations{nfe}": skill for nfe, skill in skills.items()}
    named |= {f"head-{head}": skill for head, skill in heads.items()}
    for part, skill in named.items():
        for seed in range(seeds):
            name = f"speed-full-tiny-seed{seed}-{part}"
            make_result(folder / "results", name, skill=skill + 0.02 * seed, metrics=tuple(METRICS), **changes)
    setup = Setup(work=folder / "work", results=folder / "results", seeds=asked or seeds)
    missing = write_tables(setup, ["speed"], folder, PUBLISHED, "c")
    return missing, (folder / "speed.md").read_text(), read_csv(folder / "speed.csv")


def read_csv(path):
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_the_page_has_every_row_and_its_command(tmp_path):
    missing, page, rows = write(tmp_path, SKILLS, {"imf": 0.6})
    assert missing == ["speed-full-tiny-seed0-head-reflow"]
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")
    assert "Made by `foleybench reproduce speed --size tiny --seeds 1`." in page
    assert "decoding and writing. 1 training seed, synthfoley" in page
    assert "95 % intervals over clips. A head" in page
    assert "another training is not tested" in page
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


def test_three_seeds_are_averaged_and_tested_within_their_networks(tmp_path):
    missing, page, rows = write(tmp_path, SKILLS, {"imf": 0.6, "reflow": 0.2}, seeds=3)
    assert missing == []
    assert "--seeds 3`." in page
    assert "decoding and writing; of seed 0. 3 training seeds, synthfoley" in page
    assert "95 % intervals over clips and seeds (" in page
    assert "so its luck cancels" in page
    results = read_results(tmp_path / "results")
    parts = [*(f"evaluations{nfe}" for nfe in SKILLS), "head-imf", "head-reflow"]
    measured = [Measured([results[f"speed-full-tiny-seed{seed}-{one}"] for seed in range(3)]) for one in parts]
    for name in METRICS:
        values = [seed_values(name, one).mean() for one in measured]
        assert [float(row["value"]) for row in rows if row["metric"] == name] == pytest.approx(values)
        law = law_within_networks(name, [*measured[:4], *measured[5:]], measured[4])
        gaps = [row_difference(name, one, measured[4], within=law) for one in (*measured[:4], *measured[5:])]
        told = [float(row["p_value"]) for row in rows if row["metric"] == name and row["p_value"]]
        assert told == pytest.approx(holm([gap.p_value for gap in gaps]))
    laws = told_by(lenders(Setup(work=tmp_path, results=tmp_path, seeds=3), results)).laws
    assert not laws, "rows of one kind tell no law"
    times = [float(row["value"]) for row in rows if row["metric"] == "seconds_per_clip"]
    firsts = [one.entries[0].result["run"]["generation"]["speed"]["batch_1"]["seconds_per_clip"] for one in measured]
    assert times == firsts


def test_intervals_of_several_seeds_are_drawn_towards_the_law_of_all_networks(tmp_path):
    for kind, spread in (("full", 0.01), ("vab", 0.1), ("vatt", 0.3)):
        for seed in range(2):
            name = f"{kind}-tiny-seed{seed}"
            make_result(tmp_path / "results", name, skill=0.4 + spread * seed, metrics=tuple(METRICS))
    _, _, rows = write(tmp_path, SKILLS, {}, seeds=2)
    results = read_results(tmp_path / "results")
    laws = told_by(lenders(Setup(work=tmp_path, results=tmp_path, seeds=2), results)).laws
    for name in METRICS:
        shown = next(row for row in rows if (row["nfe"], row["metric"]) == ("8", name))
        entries = [results[f"speed-full-tiny-seed{seed}-evaluations8"] for seed in range(2)]
        expected = cell(name, Measured(entries, laws=laws))
        assert [float(shown["low"]), float(shown["high"])] == pytest.approx([expected.low, expected.high])
        assert expected != cell(name, Measured(entries))


def test_a_column_without_a_law_is_named(tmp_path):
    _, page, _ = write(tmp_path, {1: 0.3, 25: 0.5}, {}, seeds=2)
    assert "not in Event F1 (25 ms) ↑, Class accuracy ↑, Align Acc (mini) (%) ↑, KLD (mini) (nat) ↓, FAD" in page
    _, page, _ = write(tmp_path, {1: 0.3, 2: 0.4, 25: 0.5}, {}, seeds=2)
    assert "too few rows have a value" not in page


def test_evaluators_of_all_seeds_are_named(tmp_path):
    write(tmp_path, SKILLS, {}, seeds=2)
    setup = Setup(work=tmp_path, results=tmp_path / "results", seeds=2)
    results = read_results(setup.results)
    results["speed-full-tiny-seed1-evaluations4"].result["run"]["encoders"]["mini_class"]["version"] = 7
    write_speed(setup, results, {}, tmp_path)
    assert "mini_class 1 and 7 (this package" in (tmp_path / "speed.md").read_text()


def test_seeds_that_are_not_the_first_are_named(tmp_path):
    for nfe in SKILLS:
        for seed in (1, 2):
            name = f"speed-full-tiny-seed{seed}-evaluations{nfe}"
            make_result(tmp_path / "results", name, metrics=tuple(METRICS))
    write_tables(Setup(work=tmp_path, results=tmp_path / "results", seeds=3), ["speed"], tmp_path, PUBLISHED, "c")
    page = (tmp_path / "speed.md").read_text()
    assert "; of seed 1. 2 training seeds (of 3 asked for: the others are not finished; seeds 1, 2), syn" in page


def test_the_command_makes_the_rows_of_a_lost_run_again(tmp_path, capsys):
    out, data = tmp_path / "out", tmp_path / "data"
    write(out, SKILLS, {"imf": 0.6})
    words = ["reproduce", "speed", "--keep", "--dry-run", "--seeds", "1", "--data", str(data), "--out", str(out)]
    assert cli.main([*words, "--work", str(tmp_path / "work")]) == 0
    scores = [line for line in capsys.readouterr().out.splitlines() if " eval " in line]
    assert len(scores) == len(SKILLS) + 2


def test_a_seed_that_is_not_finished_is_left_out(tmp_path):
    make_result(tmp_path / "results", "speed-full-tiny-seed1-evaluations8", metrics=tuple(METRICS))
    missing, page, rows = write(tmp_path, SKILLS, {"imf": 0.6}, asked=2)
    assert "1 training seed (of 2 asked for: the others are not finished), synthfoley" in page
    assert "speed-full-tiny-seed1-evaluations4" in missing
    alone = write(tmp_path / "alone", SKILLS, {"imf": 0.6})[2]
    assert rows == alone


def test_rows_of_two_networks_of_one_seed_are_refused(tmp_path):
    write(tmp_path, {1: 0.3, 25: 0.5}, {})
    other = {"checkpoint_sha256": "d" * 64}
    for seed in range(2):
        section = other if seed else {"checkpoint_sha256": None}
        name = f"speed-full-tiny-seed{seed}-evaluations8"
        make_result(tmp_path / "results", name, metrics=tuple(METRICS), section=section)
        make_result(tmp_path / "results", f"speed-full-tiny-seed1-evaluations{(1, 25)[seed]}", metrics=tuple(METRICS))
    write_tables(Setup(work=tmp_path, results=tmp_path / "results", seeds=1), ["speed"], tmp_path, PUBLISHED, "c")
    with pytest.raises(ResultError, match=r"different networks: .*seed1-evaluations1, .*evaluations8, .*evaluations25"):
        write_tables(Setup(work=tmp_path, results=tmp_path / "results", seeds=2), ["speed"], tmp_path, PUBLISHED, "c")
