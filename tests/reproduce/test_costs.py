"""What a row costs: own and shared parts told apart, kept where the runs are gone."""

import dataclasses
import json

import pytest

from foleybench.generation.folder import checkpoint_sha256
from foleybench.reproduce.costs import Trained, costs_text, training_times
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.measure import Measured, read_results
from foleybench.reproduce.plan import Setup, row_name
from foleybench.reproduce.timing import RowTime
from tests.made_results import make_result

GRID = GRIDS["table1"]
LABELS = {row.variant.name: row.label for row in GRID.rows if not row.unranked}
ORDER = [row.label for row in GRID.rows]


def record(runs, name, *, cpu_share=None, device=None, **seconds):
    """A run folder that trained these parts, in seconds, and its weights."""
    (runs / name).mkdir(parents=True)
    facts = {part: {"seconds": value, "loss": 1.0} for part, value in seconds.items()}
    for one in facts.values() if cpu_share else ():
        one["cpu_seconds"] = cpu_share * one["seconds"]
    for one in facts.values() if device else ():
        one["device"] = device
    (runs / name / "metrics.json").write_text(json.dumps({**facts, "probes": {"onset_ap": 0.4}}))
    (runs / name / "model.safetensors").write_text(name)


def scored(setup, *names, seeds=(0,), weights=None):
    """Results by row: of the weights in the work folder, or of others."""
    found = {}
    for row in GRID.rows:
        if row.variant.name not in names:
            continue
        entries = []
        for seed in seeds:
            run, result = setup.work / "runs" / f"{row.variant.name}-tiny-seed{seed}", row_name(setup, row, seed)
            section = {"checkpoint_sha256": weights or checkpoint_sha256(run)}
            make_result(setup.results / result, result, metrics=("kld_mini",), section=section)
            entries += read_results(setup.results / result).values()
        found[row.label] = Measured(entries)
    return found


NAMES = ("v2a_mapper", "seeing_hearing", "pasted_grains", "nearest")


@pytest.fixture
def setup(tmp_path):
    runs = tmp_path / "work" / "runs"
    record(runs, "alignment-tiny-seed0", alignment=600.0)
    record(runs, "v2a_mapper-tiny-seed0", flow=120.0, mapper=60.0, sound_text=30.0)
    record(runs, "seeing_hearing-tiny-seed0", aligner=90.0)
    record(runs, "pasted_grains-tiny-seed0")
    record(runs, "nearest-tiny-seed0")
    return Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1)


def minutes(times, label, *, shared):
    return sum(one.seconds for one in times if one.row == label and one.shared == shared) / 60


def test_parts_that_a_row_takes_are_shared_and_the_others_of_that_run_are_not_its_own(setup, tmp_path):
    times = training_times(setup, GRID, scored(setup, *NAMES), tmp_path / "times.csv")
    mapper, hearing = LABELS["v2a_mapper"], LABELS["seeing_hearing"]
    assert minutes(times, mapper, shared=False) == pytest.approx(3.5)
    assert minutes(times, mapper, shared=True) == pytest.approx(10)
    assert minutes(times, hearing, shared=False) == pytest.approx(1.5)
    assert minutes(times, hearing, shared=True) == pytest.approx(10 + 2 + 0.5)  # features, flow and sound-text model
    assert not any(one.row == LABELS["pasted_grains"] for one in times)


def test_times_outlive_the_runs(setup, tmp_path):
    path = tmp_path / "times.csv"
    measured = scored(setup, *NAMES)
    before = training_times(setup, GRID, measured, path)
    gone = Setup(work=tmp_path / "elsewhere", results=setup.results, seeds=1)
    assert training_times(gone, GRID, measured, path) == before
    assert training_times(gone, GRID, measured, tmp_path / "none.csv") == []


def test_a_run_of_other_weights_tells_nothing_of_a_result(setup, tmp_path):
    """A row's result was made elsewhere, and trained again here with the same command: its time there stays."""
    path = tmp_path / "times.csv"
    kept = training_times(setup, GRID, scored(setup, "v2a_mapper", "seeing_hearing"), path)
    again = dataclasses.replace(setup, work=tmp_path / "again")
    runs = again.work / "runs"
    record(runs, "alignment-tiny-seed0", alignment=1.0)
    record(runs, "v2a_mapper-tiny-seed0", flow=1.0, mapper=1.0, sound_text=1.0)
    record(runs, "seeing_hearing-tiny-seed0", aligner=1.0)
    others = scored(again, "v2a_mapper", weights="f" * 64)
    assert training_times(again, GRID, others, path) == kept
    assert training_times(again, GRID, {}, path) == kept, "a run without a result is under way"
    of_hearing = LABELS["seeing_hearing"]
    times = training_times(again, GRID, {**others, **scored(again, "seeing_hearing")}, path)
    assert {one.seconds for one in times if one.row == of_hearing} == {1.0}
    assert [one for one in times if one.row != of_hearing] == [one for one in kept if one.row != of_hearing]


def test_minutes_are_processor_time_where_all_seeds_have_it(setup, tmp_path):
    path, runs = tmp_path / "times.csv", setup.work / "runs"
    record(runs, "v2a_mapper-tiny-seed1", flow=120.0, mapper=60.0, sound_text=60.0, cpu_share=0.5)
    record(runs, "alignment-tiny-seed1", alignment=600.0, cpu_share=0.5)
    two = dataclasses.replace(setup, seeds=2)
    measured = scored(two, "v2a_mapper", seeds=(0, 1))
    times = training_times(two, GRID, measured, path)
    assert times == training_times(dataclasses.replace(two, work=tmp_path / "gone"), GRID, measured, path)
    cpu = {one.part: one.cpu_seconds for one in times if one.seed == 1 and one.row == LABELS["v2a_mapper"]}
    assert cpu == {"flow": 60.0, "mapper": 30.0, "sound_text": 30.0, "alignment": 300.0}
    assert "| 3.8 | 10.0 | 25 |" in costs_text(measured, times, "t.csv", {}, "s.csv"), "seed 0 has wall time alone"
    later = [one for one in times if one.seed == 1]
    assert "| 2.0 CPU | 5.0 CPU | 25 |" in costs_text(measured, later, "t.csv", {}, "s.csv")


def test_minutes_of_a_gpu_do_not_mix_with_those_of_a_cpu(setup, tmp_path):
    path, runs = tmp_path / "times.csv", setup.work / "runs"
    record(runs, "v2a_mapper-tiny-seed1", flow=6.0, mapper=6.0, sound_text=6.0, cpu_share=0.5, device="cuda")
    record(runs, "alignment-tiny-seed1", alignment=600.0)
    two = dataclasses.replace(setup, seeds=2)
    measured = scored(two, "v2a_mapper", seeds=(0, 1))
    times = training_times(two, GRID, measured, path)
    assert times == training_times(dataclasses.replace(two, work=tmp_path / "gone"), GRID, measured, path)
    page, label = costs_text(measured, times, "t.csv", {}, "s.csv"), LABELS["v2a_mapper"]
    assert "| 3.5 | 10.0 | 25 |" in page
    assert f"out of the minutes: {label}, flow, seed 1 (cuda); {label}, mapper, seed 1 (cuda); {label}, s" in page
    assert "out of the minutes" not in costs_text(
        measured, [one for one in times if one.seed == 0], "t.csv", {}, "s.csv"
    )
    assert "out of the minutes" not in costs_text({"another": measured[label]}, times, "t.csv", {}, "s.csv")
    on_gpu = [one for one in times if one.device == "cuda"]
    assert "|  |  | 25 |" in costs_text(measured, on_gpu, "t.csv", {}, "s.csv")


def test_a_seed_that_was_trained_in_part_on_a_gpu_has_no_minutes(setup, tmp_path):
    """Not 20, the median of seed 0's 30 and the 10 of one of seed 1's two parts."""
    label = LABELS["v2a_mapper"]
    parts = [Trained(label, 0, "flow", False, 600.0), Trained(label, 0, "mapper", False, 1200.0)]
    parts += [Trained(label, 1, "flow", False, 600.0), Trained(label, 1, "mapper", False, 20.0, None, "cuda")]
    assert "| 30.0 |  | 25 |" in costs_text(scored(setup, "v2a_mapper"), parts, "t.csv", {}, "s.csv")


def test_files_of_before_have_no_processor_time(setup, tmp_path):
    path, label = tmp_path / "times.csv", LABELS["v2a_mapper"]
    path.write_text(f"row,seed,part,shared,seconds\n{label},0,flow,0,120.5\n")
    nowhere = dataclasses.replace(setup, work=tmp_path / "nowhere")
    assert training_times(nowhere, GRID, {}, path) == [Trained(label, 0, "flow", False, 120.5, None)]


def test_times_are_medians_over_seeds(setup, tmp_path):
    """One seed on a busy machine decides nothing: 3.5, 5.5 and 103.5 minutes of its own, 10, 20 and 300 shared."""
    runs, label = setup.work / "runs", LABELS["v2a_mapper"]
    for seed, text_s, alignment_s in ((1, 150.0, 1200.0), (2, 6030.0, 18000.0)):
        record(runs, f"v2a_mapper-tiny-seed{seed}", flow=120.0, mapper=60.0, sound_text=text_s)
        record(runs, f"alignment-tiny-seed{seed}", alignment=alignment_s)
    three = dataclasses.replace(setup, seeds=3)
    measured = scored(three, "v2a_mapper", seeds=(0, 1, 2))
    times = training_times(three, GRID, measured, tmp_path / "times.csv")
    for seed, skill in enumerate((0.5, 0.5, 1.0)):
        make_result(tmp_path / "results", f"v2a_mapper-tiny-seed{seed}", skill=skill, metrics=("kld_mini",))
    results = read_results(setup.results)
    row = Measured([results[f"v2a_mapper-tiny-seed{seed}"] for seed in range(3)])
    assert "| 5.5 | 20.0 | 25 |" in costs_text({label: row}, times, "times.csv", {}, "speed.csv")


def test_the_line_of_a_row(setup, tmp_path):
    times = training_times(setup, GRID, scored(setup, "v2a_mapper"), tmp_path / "times.csv")
    make_result(tmp_path / "results", "v2a_mapper-tiny-seed0", skill=0.5, metrics=("kld_mini",))
    row = Measured([read_results(setup.results)["v2a_mapper-tiny-seed0"]])
    label = LABELS["v2a_mapper"]
    speed = {label: RowTime(label, "s", 4.0, 0.15, 0.16, 0.2, 1.25, 1.5, 1.75)}
    text = costs_text({label: row, "another": row}, times, "times.csv", speed, "speed.csv")
    ratio = "1.50 (1.25 to 1.75)"
    assert f"| V2A-Mapper core | 1,500,000 | 3.5 | 10.0 | 25 | 0.16 (0.15 to 0.2) | 0.04 | {ratio} |" in text
    assert "| another | 1,500,000 |  |  | 25 |  |  |  |" in text
    assert "| Times as long as V2A-Mapper core |" in text
    alone = {label: speed[label]._replace(ratio=float("nan"))}
    assert "0.16 (0.15 to 0.2) | 0.04 |  |" in costs_text({label: row}, times, "t.csv", alone, "s.csv")
    assert "`times.csv`" in text
    assert "`speed.csv`" in text
    untimed = costs_text({label: row}, times, "times.csv", {}, "speed.csv")
    assert "Seconds a clip" not in untimed
    assert "speed.csv" not in untimed
    assert costs_text({}, times, "times.csv", speed, "speed.csv") == ""


def test_seeds_and_parts_of_several_machines_are_kept_side_by_side(setup, tmp_path):
    path, label = tmp_path / "times.csv", LABELS["v2a_mapper"]
    training_times(setup, GRID, scored(setup, *NAMES), path)
    with path.open("a") as file:
        file.write("A row that no longer is,0,flow,0,1.0\n")
    elsewhere = Setup(work=tmp_path / "elsewhere", results=setup.results, seeds=2)
    record(elsewhere.work / "runs", "v2a_mapper-tiny-seed0", flow=240.0)
    record(elsewhere.work / "runs", "v2a_mapper-tiny-seed1", flow=360.0)
    measured = scored(elsewhere, "v2a_mapper", seeds=(0, 1))
    times = training_times(elsewhere, GRID, measured, path)
    assert times == training_times(elsewhere, GRID, measured, path)
    own = {(one.seed, one.part): one.seconds for one in times if one.row == label and not one.shared}
    assert own == {(0, "flow"): 240.0, (0, "mapper"): 60.0, (0, "sound_text"): 30.0, (1, "flow"): 360.0}
    assert [one.row for one in times] == sorted((one.row for one in times), key=ORDER.index)
    assert len([one for one in times if one.row == LABELS["nearest"]]) == 1
    gone = dataclasses.replace(setup, work=tmp_path / "nowhere", seeds=2)
    assert training_times(gone, GRID, measured, path) == times
