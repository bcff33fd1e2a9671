"""Losses of training runs: kept beside the table, and summed up by hand."""

import json

import pytest

from foleybench.generation.folder import checkpoint_sha256
from foleybench.reproduce.build import write_tables
from foleybench.reproduce.curves import Point, learning_curves, training_text
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.measure import Measured, read_results
from foleybench.reproduce.plan import Setup, row_name, training_name
from tests.made_results import make_result
from tests.reproduce.test_write import METRICS, PUBLISHED, score


def log(setup, run, stage, losses, every=10):
    folder = setup.work / "runs" / run / stage
    folder.mkdir(parents=True, exist_ok=True)
    lines = [{"step": every * at, "loss": loss, "gradient_norm": 1.0} for at, loss in enumerate(losses)]
    lines.insert(1, {"step": 3, "skipped": 1})
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def weights_in(setup, run):
    """Return the folder of a run, with weights in it."""
    folder = setup.work / "runs" / run
    (folder / "model.safetensors").write_text(run)
    return folder


def scored(setup, grid, *labels, seeds=(0, 1), weights=None):
    """Results by row: of the weights in the work folder, or of others."""
    found = {}
    for row in (row for row in GRIDS[grid].rows if row.label in labels):
        entries = []
        for seed in seeds:
            name, folder = row_name(setup, row, seed), training_name(setup, row.variant, seed)
            (setup.work / "runs" / folder).mkdir(parents=True, exist_ok=True)
            run = weights_in(setup, folder)
            section = {"checkpoint_sha256": weights or checkpoint_sha256(run)}
            make_result(setup.results / name, name, metrics=("kld_mini",), section=section)
            entries += read_results(setup.results / name).values()
        found[row.label] = Measured(entries)
    return found


@pytest.fixture
def setup(tmp_path):
    return Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=2)


def test_a_rows_curves_are_those_of_its_own_run_and_of_the_runs_it_takes_from(setup, tmp_path):
    for seed in (0, 1):
        log(setup, f"alignment-tiny-seed{seed}", "alignment", [4.0 + seed, 3.0])
        log(setup, f"full-tiny-seed{seed}", "flow", [1.0, 0.5 + seed])
    rows = scored(setup, "table4", "DCF", "GDCF")
    found = learning_curves(setup, GRIDS["table4"], rows, tmp_path / "c.csv")
    of_full = [point for point in found if point.row == "GDCF"]
    assert of_full == [
        *(Point("GDCF", 0, "alignment", 0, 4.0), Point("GDCF", 0, "alignment", 10, 3.0)),
        *(Point("GDCF", 0, "flow", 0, 1.0), Point("GDCF", 0, "flow", 10, 0.5)),
        *(Point("GDCF", 1, "alignment", 0, 5.0), Point("GDCF", 1, "alignment", 10, 3.0)),
        *(Point("GDCF", 1, "flow", 0, 1.0), Point("GDCF", 1, "flow", 10, 1.5)),
    ]
    assert {(point.row, point.stage) for point in found if point.row == "DCF"} == {("DCF", "alignment")}
    elsewhere = Setup(work=tmp_path / "nothing", results=setup.results, seeds=2)
    assert learning_curves(elsewhere, GRIDS["table4"], rows, tmp_path / "c.csv") == found
    assert learning_curves(elsewhere, GRIDS["table4"], rows, tmp_path / "none.csv") == []


def test_a_row_has_no_curve_of_stages_that_it_does_not_take(setup, tmp_path):
    """Seeing & Hearing takes V2A-Mapper's flow and sound-text model, and not its mapper."""
    for stage in ("flow", "mapper", "sound_text"):
        log(setup, "v2a_mapper-tiny-seed0", stage, [4.0, 3.0])
    log(setup, "seeing_hearing-tiny-seed0", "aligner", [2.0, 1.0])
    rows = scored(setup, "table1", "Seeing & Hearing core", "V2A-Mapper core", seeds=(0,))
    found = learning_curves(setup, GRIDS["table1"], rows, tmp_path / "c.csv")
    stages = {(point.row, point.stage) for point in found}
    assert stages == {
        *(("Seeing & Hearing core", stage) for stage in ("flow", "sound_text", "aligner")),
        *(("V2A-Mapper core", stage) for stage in ("flow", "sound_text", "mapper")),
    }


def test_the_curve_of_a_row_without_a_result_is_left_out(setup, tmp_path):
    """Its run may be under way."""
    log(setup, "alignment-tiny-seed0", "alignment", [4.0, 3.0])
    scored(setup, "table4", "DCF")
    found = learning_curves(setup, GRIDS["table4"], scored(setup, "table4", "GDCF"), tmp_path / "c.csv")
    assert {point.row for point in found} == {"GDCF"}


def test_the_curve_of_other_weights_is_left_out(setup, tmp_path):
    """A result that was made elsewhere keeps its own curve when its run is trained again here and ends elsewhere."""
    log(setup, "full-tiny-seed0", "flow", [4.0, 3.0])
    kept = learning_curves(setup, GRIDS["table4"], scored(setup, "table4", "GDCF"), tmp_path / "c.csv")
    assert [point.loss for point in kept] == [4.0, 3.0]
    log(setup, "full-tiny-seed0", "flow", [9.0, 9.0])
    others = scored(setup, "table4", "GDCF", weights="f" * 64)
    assert learning_curves(setup, GRIDS["table4"], others, tmp_path / "c.csv") == kept
    assert learning_curves(setup, GRIDS["table4"], others, tmp_path / "none.csv") == []


def test_the_last_fifth_against_the_one_before_by_hand():
    """Ten losses in 91 steps: 60 to 72 hold the seventh and eighth, the last fifth the ninth and tenth."""
    losses = [9, 9, 9, 9, 9, 9, 4.0, 2.0, 1.5, 0.9]
    points = [Point("A", seed, "flow", 10 * at, loss + seed) for seed in (0, 2) for at, loss in enumerate(losses)]
    text = training_text(points, "t.csv")
    # over two seeds: (4 + 2) / 2 + 1 = 4 before, (1.5 + 0.9) / 2 + 1 = 2.2 at the end
    assert "| A | flow | 91 | 2.2000 | -45.0 % |" in text
    assert "`t.csv`" in text
    assert training_text([], "t.csv") == ""


def test_the_page_holds_the_curves_and_their_file_stands_beside_it(setup, tmp_path):
    for row in GRIDS["table4"].rows:
        for seed in (0, 1):
            score(tmp_path, row_name(setup, row, seed), 0.5 + 0.1 * seed)
    write_tables(setup, ["table4"], tmp_path, PUBLISHED, "c")
    assert "## Training" not in (tmp_path / "table4.md").read_text()
    assert not (tmp_path / "table4_curves.csv").exists()
    log(setup, "full-tiny-seed0", "flow", [2.0] * 10)
    full = {"checkpoint_sha256": checkpoint_sha256(weights_in(setup, "full-tiny-seed0"))}
    for old in (tmp_path / "results").rglob("full-tiny-seed0.*"):
        old.unlink()
    make_result(tmp_path / "results", "full-tiny-seed0", skill=0.5, metrics=METRICS, section=full)
    write_tables(setup, ["table4"], tmp_path, PUBLISHED, "c")
    assert "| GDCF | flow | 91 | 2.0000 | +0.0 % |" in (tmp_path / "table4.md").read_text()
    assert (tmp_path / "table4_curves.csv").read_text().splitlines()[:2] == [
        "row,seed,stage,step,loss",
        "GDCF,0,flow,0,2.0",
    ]
