"""What a row costs: own and shared parts told apart, kept where the runs are gone."""

import dataclasses
import json

import pytest

from foleybench.reproduce.costs import costs_text, time_factors, training_times
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.measure import Measured, read_results
from foleybench.reproduce.plan import Setup
from tests.made_results import make_result

GRID = GRIDS["table1"]
LABELS = {row.variant.name: row.label for row in GRID.rows if not row.unranked}
ORDER = [row.label for row in GRID.rows]


def record(runs, name, **seconds):
    """A run folder that trained these parts, in seconds."""
    (runs / name).mkdir(parents=True)
    facts = {part: {"seconds": value, "loss": 1.0} for part, value in seconds.items()}
    (runs / name / "metrics.json").write_text(json.dumps({**facts, "probes": {"onset_ap": 0.4}}))


@pytest.fixture
def setup(tmp_path):
    runs = tmp_path / "work" / "runs"
    record(runs, "alignment-tiny-seed0", alignment=600.0)
    record(runs, "v2a_mapper-tiny-seed0", flow=120.0, mapper=60.0, sound_text=30.0)
    record(runs, "seeing_hearing-tiny-seed0", aligner=90.0)
    record(runs, "pasted_grains-tiny-seed0")
    return Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1)


def minutes(times, label, *, shared):
    return sum(one.seconds for one in times if one.row == label and one.shared == shared) / 60


def test_parts_that_a_row_takes_are_shared_and_the_others_of_that_run_are_not_its_own(setup, tmp_path):
    times = training_times(setup, GRID, tmp_path / "times.csv")
    mapper, hearing = LABELS["v2a_mapper"], LABELS["seeing_hearing"]
    assert minutes(times, mapper, shared=False) == pytest.approx(3.5)
    assert minutes(times, mapper, shared=True) == pytest.approx(10)
    assert minutes(times, hearing, shared=False) == pytest.approx(1.5)
    assert minutes(times, hearing, shared=True) == pytest.approx(10 + 2 + 0.5)  # features, flow and sound-text model
    assert not any(one.row == LABELS["pasted_grains"] for one in times)


def test_times_outlive_the_runs(setup, tmp_path):
    path = tmp_path / "times.csv"
    before = training_times(setup, GRID, path)
    gone = Setup(work=tmp_path / "elsewhere", results=setup.results, seeds=1)
    assert training_times(gone, GRID, path) == before
    assert training_times(gone, GRID, tmp_path / "none.csv") == []


def test_times_are_medians_over_seeds(setup, tmp_path):
    """One seed on a busy machine decides nothing: 3.5, 5.5 and 103.5 minutes of its own, 10, 20 and 300 shared."""
    runs, label = setup.work / "runs", LABELS["v2a_mapper"]
    for seed, text_s, alignment_s in ((1, 150.0, 1200.0), (2, 6030.0, 18000.0)):
        record(runs, f"v2a_mapper-tiny-seed{seed}", flow=120.0, mapper=60.0, sound_text=text_s)
        record(runs, f"alignment-tiny-seed{seed}", alignment=alignment_s)
    times = training_times(dataclasses.replace(setup, seeds=3), GRID, tmp_path / "times.csv")
    for seed, skill in enumerate((0.5, 0.5, 1.0)):
        make_result(tmp_path / "results", f"v2a_mapper-tiny-seed{seed}", skill=skill, metrics=("kld_mini",))
    results = read_results(setup.results)
    row = Measured([results[f"v2a_mapper-tiny-seed{seed}"] for seed in range(3)])
    assert "| 5.5 | 20.0 | 25 | 0.16 (0.16 to 0.31) | 0.02 (0.02 to 0.02) |" in costs_text(
        {label: row}, times, "times.csv"
    )


def test_the_line_of_a_row(setup, tmp_path):
    times = training_times(setup, GRID, tmp_path / "times.csv")
    make_result(tmp_path / "results", "v2a_mapper-tiny-seed0", skill=0.5, metrics=("kld_mini",))
    row = Measured([read_results(setup.results)["v2a_mapper-tiny-seed0"]])
    text = costs_text({LABELS["v2a_mapper"]: row}, times, "times.csv")
    assert "| V2A-Mapper core | 1,500,000 | 3.5 | 10.0 | 25 | 0.16 | 0.02 |" in text
    assert "`times.csv`" in text
    assert time_factors(row) == [0.02]
    assert costs_text({}, times, "times.csv") == ""


def test_seeds_and_parts_of_several_machines_are_kept_side_by_side(setup, tmp_path):
    path, label = tmp_path / "times.csv", LABELS["v2a_mapper"]
    training_times(setup, GRID, path)
    with path.open("a") as file:
        file.write("A row that no longer is,0,flow,0,1.0\n")
    elsewhere = Setup(work=tmp_path / "elsewhere", results=setup.results, seeds=2)
    record(elsewhere.work / "runs", "v2a_mapper-tiny-seed0", flow=240.0)
    record(elsewhere.work / "runs", "v2a_mapper-tiny-seed1", flow=360.0)
    times = training_times(elsewhere, GRID, path)
    assert times == training_times(elsewhere, GRID, path)
    own = {(one.seed, one.part): one.seconds for one in times if one.row == label and not one.shared}
    assert own == {(0, "flow"): 240.0, (0, "mapper"): 60.0, (0, "sound_text"): 30.0, (1, "flow"): 360.0}
    assert [one.row for one in times] == sorted((one.row for one in times), key=ORDER.index)
    assert len([one for one in times if one.row == LABELS["nearest"]]) == 1
    gone = dataclasses.replace(setup, work=tmp_path / "nowhere", seeds=2)
    assert training_times(gone, GRID, path) == times
