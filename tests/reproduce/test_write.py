"""From result files to a page: measured and reported apart, nothing missing unsaid."""

import csv
import io
from pathlib import Path

import pytest

from foleybench.errors import FoleyError
from foleybench.reproduce import measure
from foleybench.reproduce.build import write_tables
from foleybench.reproduce.plan import Setup
from tests.made_results import make_result

METRICS = ("event_f1", "kld_mini", "fad_mini", "align_acc_mini", "class_accuracy")
PUBLISHED = Path("leaderboards/published.csv")


@pytest.fixture(scope="module", autouse=True)
def few_resamples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "RESAMPLES", 100)
        yield


def score(folder, name, skill):
    make_result(folder / "results", name, skill=skill, metrics=METRICS)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, few_resamples):
    out = tmp_path_factory.mktemp("finished")
    for seed in (0, 1, 2):
        score(out, f"full-tiny-seed{seed}", 0.9 - 0.01 * seed)
        score(out, f"linear-tiny-seed{seed}", 0.4 + 0.01 * seed)
    setup = Setup(work=out / "work", results=out / "results")
    return out, write_tables(setup, ["table4"], out, PUBLISHED, "foleybench reproduce table4")


def test_the_page_answers_and_keeps_measured_and_reported_apart(finished):
    out, missing = finished
    assert missing == []
    page = (out / "table4.md").read_text()
    assert "**Yes.**" in page
    measured, reported = page.split("## Measured here")[1].split("## Reported by the paper")
    assert "| GDCF |" in measured
    assert "| 0.97 |" in reported
    assert "0.97 |" not in measured
    assert "arXiv 2603.08126" in reported


def test_the_table_at_full_precision(finished):
    out, _ = finished
    rows = list(csv.DictReader(io.StringIO((out / "table4.csv").read_text())))
    kinds = {kind: [row for row in rows if row["kind"] == kind] for kind in ("measured", "difference", "reported")}
    assert [len(found) for found in kinds.values()] == [10, 5, 6]
    for row in kinds["measured"]:
        seeds = [float(value) for value in row["by_seed"].split()]
        assert float(row["value"]) == pytest.approx(sum(seeds) / 3)
        assert float(row["low"]) <= float(row["value"]) <= float(row["high"])


def test_written_twice_it_is_the_same(finished):
    out, _ = finished
    before = (out / "table4.md").read_bytes(), (out / "table4.csv").read_bytes()
    setup = Setup(work=out / "work", results=out / "results")
    write_tables(setup, ["table4"], out, PUBLISHED, "foleybench reproduce table4")
    assert before == ((out / "table4.md").read_bytes(), (out / "table4.csv").read_bytes())


def test_a_seed_that_lacks_a_row_is_left_out_and_named(tmp_path):
    for seed in (0, 1):
        score(tmp_path, f"full-tiny-seed{seed}", 0.9)
        score(tmp_path, f"linear-tiny-seed{seed}", 0.4)
    score(tmp_path, "full-tiny-seed2", 0.9)
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results")
    missing = write_tables(setup, ["table4"], tmp_path, PUBLISHED, "c")
    assert missing == ["linear-tiny-seed2"]
    page = (tmp_path / "table4.md").read_text()
    assert "2 training seeds (of 3 asked for: the others are not finished)" in page


def test_without_any_whole_seed_there_is_no_table(tmp_path):
    score(tmp_path, "full-tiny-seed0", 0.9)
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results")
    with pytest.raises(FoleyError, match="linear-tiny-seed0"):
        write_tables(setup, ["table4"], tmp_path, PUBLISHED, "c")
    assert not (tmp_path / "table4.md").exists()


def test_the_speed_figure(tmp_path):
    for nfe in (1, 2, 4, 8, 25):
        score(tmp_path, f"speed-full-tiny-seed0-evaluations{nfe}", 0.5 + 0.01 * nfe)
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results")
    assert write_tables(setup, ["speed"], tmp_path, PUBLISHED, "c") == []
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "speed.md").read_text().count("\n| ") >= 6
