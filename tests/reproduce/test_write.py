"""From result files to a page: measured and reported apart, nothing missing unsaid."""

import csv
import io
import math
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from foleybench import registry
from foleybench.errors import FoleyError
from foleybench.reproduce import write
from foleybench.reproduce.build import write_tables
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.plan import Setup, row_name
from foleybench.reproduce.power import Needed
from foleybench.reproduce.write import COLUMNS, MORE, _needed_text, _rank
from tests import made_results
from tests.made_results import make_result, run_of

METRICS = ("event_f1_25ms", "kld_mini", "fad_mini", "align_acc_mini", "class_accuracy")
PUBLISHED = Path("leaderboards/published.csv")


def score(folder, name, skill):
    make_result(folder / "results", name, skill=skill, metrics=METRICS)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("finished")
    for seed in (0, 1, 2):
        score(out, f"full-tiny-seed{seed}", 0.9 - 0.01 * seed)
        score(out, f"linear-tiny-seed{seed}", 0.4 + 0.01 * seed)
        score(out, f"linear-raw-tiny-seed{seed}", 0.95 - 0.01 * seed)
        score(out, f"gvp-raw-tiny-seed{seed}", 0.3 + 0.01 * seed)
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
    assert [len(found) for found in kinds.values()] == [20, 10, 6]
    for row in kinds["measured"]:
        seeds = [float(value) for value in row["by_seed"].split()]
        assert float(row["value"]) == pytest.approx(sum(seeds) / 3)
        assert float(row["low"]) <= float(row["value"]) <= float(row["high"])


def test_rows_are_compared_within_their_block(finished):
    """GDCF is below a row of the other block in everything, and its column still says yes."""
    out, _ = finished
    rows = list(csv.DictReader(io.StringIO((out / "table4.csv").read_text())))
    pairs = {(row["row"], row["against"]) for row in rows if row["kind"] == "difference"}
    assert pairs == {("DCF", "GDCF"), ("DCF, raw times", "GDCF, raw times")}
    first, second = (out / "table4.md").read_text().split("## Measured here")[1].split("As the paths come")
    assert "| GDCF | **" in first
    assert "raw times |" not in first
    assert "| DCF, raw times | **" in second
    assert "| GDCF, raw times | **" not in second


def test_rows_that_see_labels_are_shown_and_not_ranked(tmp_path):
    """They are the best of all here; the paper's best row is one of them."""
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=2)
    for row in GRIDS["table3"].rows:
        for seed in (0, 1):
            score(tmp_path, row_name(setup, row, seed), 0.95 if row.unranked else 0.5 + 0.01 * seed)
    assert write_tables(setup, ["table3"], tmp_path, PUBLISHED, "c") == []
    page = (tmp_path / "table3.md").read_text()
    measured = page.split("## Measured here")[1].split("## Reported")[0]
    assert measured.count("(not ranked) |") == 2
    assert "*EVA-CLIP-like video, AudioMAE-like audio* (not ranked) | 0" in measured
    assert (
        "Not ranked: EVA-CLIP-like video, AudioMAE-like audio; its video encoder is trained on the labels" in measured
    )
    assert not any("**" in line for line in measured.splitlines() if "(not ranked)" in line)
    assert "| MAE-like video, AudioMAE-like audio | **" in measured
    assert "of 6 ordered pairs" in page  # of the paper's other four rows
    rows = list(csv.DictReader(io.StringIO((tmp_path / "table3.csv").read_text())))
    compared = {name for row in rows if row["kind"] == "difference" for name in (row["row"], row["against"])}
    assert len(compared) == 4
    assert not any("EVA-CLIP" in name for name in compared)


def test_the_page_says_what_its_clips_and_seeds_can_find_and_what_the_margins_need(finished):
    out, _ = finished
    page = (out / "table4.md").read_text()
    assert "significant with 80 % power" in page
    assert "(margin 0.02)" in page
    assert "The margins were set on version 1 of SynthFoley" in page
    needed = next(line for line in page.splitlines() if line.startswith("A true difference of the margin would"))
    assert len(re.findall("[0-9]+ clips and [0-9]+ seeds", needed)) == 5


def test_the_page_says_what_bold_and_a_rank_do_not(finished, tmp_path):
    """A rank depends on the row's own seeds where there are several."""
    page = (finished[0] / "table4.md").read_text()
    assert "all that are not shown to be worse than it. A rank depends on the row's own variance" in page
    for name in ("full", "linear", "linear-raw", "gvp-raw"):
        score(tmp_path, f"{name}-tiny-seed0", 0.5)
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1)
    write_tables(setup, ["table4"], tmp_path, PUBLISHED, "c")
    page = (tmp_path / "table4.md").read_text()
    assert "all that are not shown to be worse than it.\n" in page


def test_what_the_median_pair_needs():
    assert _needed_text([Needed(1234.0, 3), Needed(5432.0, 20), Needed(99.0, 2)]) == "1,200 clips and 3 seeds"
    assert _needed_text([Needed(1234.0, None)]) == "1,200 clips (of these networks; how seeds vary is not known)"
    assert _needed_text([Needed(5.0, 2), Needed(math.inf, math.inf)]) == "more than 1,000 seeds"


def test_rows_that_the_rule_does_not_tell_apart_share_ranks():
    outcomes = {("A", "B"): "undecided", ("A", "C"): "better", ("B", "C"): "equivalent", ("A", "D"): "better"}
    outcomes |= {("B", "D"): "better", ("C", "D"): "worse"}
    assert [_rank(outcomes, row) for row in "ABCD"] == [" · 1-2", " · 1-3", " · 3-4", " · 3"]
    assert _rank(outcomes, "E") == ""


def test_every_compared_row_has_its_rank(finished):
    measured = (finished[0] / "table4.md").read_text().split("## Measured here")[1].split("## ")[0]
    assert "· 1 |" in next(line for line in measured.splitlines() if line.startswith("| GDCF |"))
    assert "· 2 |" in next(line for line in measured.splitlines() if line.startswith("| DCF |"))


def test_more_metrics_are_shown_and_not_compared(tmp_path):
    for name in ("full", "linear", "linear-raw", "gvp-raw"):
        make_result(tmp_path / "results", f"{name}-tiny-seed0", skill=0.5, metrics=(*METRICS, "event_f1"))
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1)
    write_tables(setup, ["table4"], tmp_path, PUBLISHED, "c")
    page = (tmp_path / "table4.md").read_text()
    more = page.split("shown and not compared")[1].split("## ")[0]
    assert "Event F1 (50 ms)" in more
    assert "Strength" not in page  # no result has it
    assert "**" not in more
    text = (tmp_path / "table4.csv").read_text()
    shown = [line for line in csv.DictReader(io.StringIO(text)) if line["metric"] == "event_f1"]
    assert {line["kind"] for line in shown} == {"shown"}
    assert len(shown) == 4, "a line a row, and no difference"
    assert all(line["value"] == line["by_seed"] for line in shown)
    assert "Nothing to rank by" not in more


def test_metrics_without_ranks_are_never_compared_and_the_page_says_why(tmp_path):
    assert not any(registry.load("metrics", name).unranked for name in (*COLUMNS.values(), *MORE))
    for name in ("full", "linear", "linear-raw", "gvp-raw"):
        make_result(tmp_path / "results", f"{name}-tiny-seed0", skill=0.5, metrics=(*METRICS, "source_recall"))
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1)
    write_tables(setup, ["table4"], tmp_path, PUBLISHED, "c")
    page = (tmp_path / "table4.md").read_text()
    assert "\n\nNothing to rank by: Source recall ↑ (additional sounds cost nothing).\n" in page


def test_evaluations_are_named_where_all_rows_have_as_many(finished, tmp_path, monkeypatch):
    assert "25 network evaluations, " in (finished[0] / "table4.md").read_text()
    made = made_results.generation_of
    monkeypatch.setattr(made_results, "generation_of", lambda name, skill: {**made(name, skill), "nfe": len(name)})
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1)
    for row in GRIDS["visual_mask"].rows:
        score(tmp_path, row_name(setup, row, 0), 0.5)
    write_tables(setup, ["visual_mask"], tmp_path, PUBLISHED, "c")
    assert "network evaluations, " not in (tmp_path / "visual_mask.md").read_text()


def test_the_page_says_that_only_the_first_clips_were_scored(tmp_path):
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1, clips=30)
    for row in GRIDS["visual_mask"].rows:
        score(tmp_path, row_name(setup, row, 0), 0.5)
    write_tables(setup, ["visual_mask"], tmp_path, PUBLISHED, "c")
    assert "test split, the first 30 of 40 clips, manifest" in (tmp_path / "visual_mask.md").read_text()


def test_the_page_names_the_versions_of_the_evaluators(tmp_path, monkeypatch):
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1)
    now = registry.load("encoders", "mini_class").version
    for row, version in zip(GRIDS["visual_mask"].rows, (now, now, now + 1), strict=True):
        found = {"mini_class": {"version": version, "weights_sha256": "d" * 64}}
        monkeypatch.setattr(made_results, "run_of", lambda *asked, found=found: {**run_of(*asked), "encoders": found})
        score(tmp_path, row_name(setup, row, 0), 0.5)
    write_tables(setup, ["visual_mask"], tmp_path, PUBLISHED, "c")
    told = f"Evaluators: mini_class {now} and {now + 1} (this package has {now}; what changed: `foleybench/encoders/"
    assert told in (tmp_path / "visual_mask.md").read_text()


def test_a_table_of_ours_names_what_is_better_and_has_no_reported_block(tmp_path):
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1)
    for row, skill in zip(GRIDS["visual_mask"].rows, (0.2, 0.5, 0.9), strict=True):
        score(tmp_path, row_name(setup, row, 0), skill)
    assert write_tables(setup, ["visual_mask"], tmp_path, PUBLISHED, "c") == []
    page = (tmp_path / "visual_mask.md").read_text()
    assert page.splitlines()[2] == "# Which frames a step may look at"
    answer = page.split("## What is better?")[1].split("Rule:")[0]
    line = next(line for line in answer.splitlines() if "| FoleyGen core, frame by frame | FoleyGen core, all" in line)
    assert "worse" in line
    assert "better" not in line
    assert "Reported" not in page
    assert "paper's ordering" not in page


def test_a_table_measured_in_part_says_so_and_gives_no_verdict(tmp_path):
    for name in ("full", "linear", "gvp-raw"):
        score(tmp_path, f"{name}-tiny-seed1", 0.9 if name == "full" else 0.4)
    score(tmp_path, "full-tiny-seed0", 0.9)
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=2)
    missing = write_tables(setup, ["table4"], tmp_path, PUBLISHED, "c")
    assert "linear-raw-tiny-seed1" in missing
    page = (tmp_path / "table4.md").read_text()
    assert "**Not answered yet**: 3 of 4 rows are measured. Not yet: DCF, raw times." in page
    assert "1 training seed (of 2 asked for: the others are not finished)" in page
    assert "**Yes.**" not in page
    assert "| GDCF | **" in page
    assert "| DCF, raw times |" not in page


def test_the_ladder_of_codecs_is_shown_and_not_compared(tmp_path):
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1)
    rows, ladder = GRIDS["table1"].rows, GRIDS["table1"].ladder
    for number, row in enumerate(rows):
        score(tmp_path, row_name(setup, row, 0), 0.3 + 0.04 * number)
    score(tmp_path, row_name(setup, ladder[0], 0), 0.95)
    missing = write_tables(setup, ["table1"], tmp_path, PUBLISHED, "c")
    shares = [f"copying share of {row_name(setup, row, 0)}" for row in rows if row.variant]
    assert missing == sorted([*(row_name(setup, row, 0) for row in ladder[1:]), *shares])
    page = (tmp_path / "table1.md").read_text()
    assert page.count(f"| *{ladder[0].label}* (control, not compared) |") == 1
    assert ladder[1].label not in page
    assert "](table1.png)" in page
    height, width, _ = plt.imread(tmp_path / "table1.png").shape
    assert width > 1000
    assert height > 400
    assert "## The paper's order, pair by pair" in page
    orders = page.split("## The paper's order, pair by pair")[1].split("\n## ")[0]
    assert orders.count("1. Foley-Flow (ours, this corpus and size) |") == 3
    assert sum(orders.count(f"| {mark} ") for mark in "✓✗=?") == 3 * 45
    csv_rows = list(csv.DictReader(io.StringIO((tmp_path / "table1.csv").read_text())))
    assert {found["row"] for found in csv_rows if found["kind"] == "measured"} == {row.label for row in rows}
    controls = [found for found in csv_rows if found["kind"] == "control"]
    assert {found["row"] for found in controls} == {ladder[0].label}
    assert not any(found["row"] == ladder[0].label for found in csv_rows if found["kind"] != "control")
    assert all(found["value"] == found["by_seed"] for found in controls)
    assert len(controls) == 5


def test_controls_of_other_clips_than_the_rows_are_left_out_and_told(tmp_path):
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1)
    facts = {"kind": "control", "metrics": METRICS}
    make_result(tmp_path / "results", "ground_truth", title="Truth", n_scored=39, **facts)  # one could not be scored
    make_result(tmp_path / "results", "noise", title="Noise", n_clips=20, n_usable=40, **facts)
    for row in GRIDS["table1"].rows:
        score(tmp_path, row_name(setup, row, 0), 0.5)
    missing = write_tables(setup, ["table1"], tmp_path, PUBLISHED, "c")
    assert "noise on the rows' clips (20 clips were scored)" in missing
    assert not any("ground_truth on the rows' clips" in name for name in missing)
    lines = (tmp_path / "table1.md").read_text().splitlines()
    (control,) = [line for line in lines if line.startswith("| *Truth* (control, not compared)")]
    assert control.endswith(" | 1 | 39 |")
    assert not any("*Noise*" in line for line in lines)


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
    for seed in (0, 1, 2):
        score(tmp_path, f"linear-raw-tiny-seed{seed}", 0.4)
        score(tmp_path, f"gvp-raw-tiny-seed{seed}", 0.4)
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results")
    missing = write_tables(setup, ["table4"], tmp_path, PUBLISHED, "c")
    assert missing == ["linear-tiny-seed2"]
    page = (tmp_path / "table4.md").read_text()
    assert "2 training seeds of the rows under *Matched noise levels and targets (`times=matched`)*; 3 training" in page
    assert "seeds of the rows under *As the paths come (`times=raw`)* (of 3 asked for: the others are not" in page


def test_a_row_that_is_not_compared_shows_the_seeds_that_it_has(tmp_path):
    ranked = [row for row in GRIDS["table3"].rows if not row.unranked]
    one, none = (row for row in GRIDS["table3"].rows if row.unranked)
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=3)
    for number, row in enumerate(ranked):
        for seed in (0, 1):
            score(tmp_path, row_name(setup, row, seed), 0.3 + 0.1 * number)
    score(tmp_path, row_name(setup, one, 2), 0.5)  # a seed that the others lack
    missing = write_tables(setup, ["table3"], tmp_path, PUBLISHED, "c")
    lacking = [row_name(setup, row, 2) for row in ranked] + [row_name(setup, one, seed) for seed in (0, 1)]
    assert missing == sorted([*lacking, *(row_name(setup, none, seed) for seed in range(3))])
    page = (tmp_path / "table3.md").read_text()
    assert "2 training seeds (of 3 asked for: the others are not finished), " in page
    assert f"Not measured yet, and compared with nothing: {none.label}." in page
    assert "Not answered yet" not in page
    table = page.split("## Measured here")[1].split("\n## ")[0].splitlines()
    counts = [next(line.split(" | ")[-2:] for line in table if row.label in line) for row in (one, ranked[0])]
    assert counts == [["1", "40 |"], ["2", "40 |"]]
    assert not any(none.label in line for line in table if line.startswith("|"))
    lent = page.split("One training seed")[1].split(" To ")[1].split(": from ")[0]
    assert lent == one.label


def test_without_any_whole_seed_there_is_no_table(tmp_path):
    score(tmp_path, "full-tiny-seed0", 0.9)
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results")
    with pytest.raises(FoleyError, match="linear-tiny-seed0"):
        write_tables(setup, ["table4"], tmp_path, PUBLISHED, "c")
    assert not (tmp_path / "table4.md").exists()


def test_with_nothing_measured_the_page_shows_what_is_reported(tmp_path):
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1)
    missing = write_tables(setup, ["table4"], tmp_path, PUBLISHED, "c")
    assert missing == [f"{name}-tiny-seed0" for name in ("full", "gvp-raw", "linear-raw", "linear")]
    page = (tmp_path / "table4.md").read_text()
    assert "nothing was measured yet" in page
    assert "| GDCF | 0.97 |" in page.split("## Reported by the paper")[1]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "table4.csv").read_text())))
    assert {row["kind"] for row in rows} == {"reported"}


def test_results_of_another_length_are_named_and_no_table_is_overwritten(tmp_path):
    score(tmp_path, "full-tiny-steps600-seed0", 0.9)
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results")
    with pytest.raises(FoleyError, match="were made with --steps 600; give the same option"):
        write_tables(setup, ["table4"], tmp_path, PUBLISHED, "c")
    assert not (tmp_path / "table4.md").exists()


def test_blocks_have_the_seeds_that_all_of_their_rows_have(tmp_path, monkeypatch):
    """Two seeds of the first block, and one of the second, of which a row has no other."""
    for block, n_seeds in (("0", 2), ("0.5", 1)):
        for ratio in ("0.3", "0.5", "0.7", "0.8", "0.9"):
            for seed in range(n_seeds):
                score(tmp_path, f"mask_{ratio}_whole_{block}-tiny-seed{seed}", 0.9 - float(ratio) / 2 + 0.01 * seed)
    score(tmp_path, "mask_0.3_whole_0.5-tiny-seed1", 0.5)
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=2)
    planned = []

    def needed(gap, margin, n_clips, n_seeds):
        planned.append(n_seeds)
        return Needed(1.0, 1)

    monkeypatch.setattr(write, "clips_and_seeds_needed", needed)
    missing = write_tables(setup, ["table5"], tmp_path, PUBLISHED, "c")
    assert [planned.count(n) for n in (1, 2)] == [50, 50]  # ten pairs of a block, five metrics
    assert missing == [f"mask_{ratio}_whole_0.5-tiny-seed1" for ratio in ("0.5", "0.7", "0.8", "0.9")]
    page = (tmp_path / "table5.md").read_text()
    assert "2 training seeds of the rows under *The ratio is the ratio (`full_mask_p=0`)*; 1 training seed of" in page
    assert "*As the model is trained (`full_mask_p=0.5`)* (of 2 asked for: the others are not finished)" in page
    rows = list(csv.DictReader(io.StringIO((tmp_path / "table5.csv").read_text())))
    counts = {row["row"]: len(row["by_seed"].split()) for row in rows if row["kind"] == "measured"}
    assert set(counts.values()) == {1, 2}
    assert all(n == (1 if "masked whole" in label else 2) for label, n in counts.items())
    assert "One training seed does not show" in page
