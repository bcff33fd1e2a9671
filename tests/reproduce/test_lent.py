"""What rows with several seeds lend to rows with one: by hand, and by simulation."""

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as distributions

from foleybench.reproduce.build import write_tables
from foleybench.reproduce.lent import (
    LentTo,
    _kinds_of_networks,
    lenders,
    lent_text,
    lent_to,
    pooled_variance,
    told_by,
)
from foleybench.reproduce.measure import Measured, _of_both, cell, read_results, row_difference
from foleybench.reproduce.plan import Setup
from foleybench.stats.moderated import Variance, common_law
from tests.made_results import make_result
from tests.reproduce.test_measure import Scored, row

METRICS = ("event_f1_25ms", "kld_mini", "fad_mini", "align_acc_mini", "class_accuracy")


class Known(Scored):
    """A result that says which metrics it has."""

    result = {"metrics": {"kld_mini": {}}, "run": {"generation": {"nfe": 8}}}


def known(*seeds):
    return Measured([Known(values) for values in seeds])


def test_variances_are_pooled_by_their_degrees_of_freedom():
    """Three seeds at 1, 2, 3 (squares 2) and two at 5, 7 (squares 2): 4 / 3."""
    rows = [known([1.0] * 9, [2.0] * 9, [3.0] * 9), known([5.0] * 9, [7.0] * 9)]
    assert pooled_variance(rows) == {"kld_mini": Variance(pytest.approx(4 / 3), 3)}


def test_equal_seeds_have_no_variance():
    """Three times .1 differ from their mean by rounding."""
    assert pooled_variance([known([0.1] * 9, [0.1] * 9, [0.1] * 9)]) == {"kld_mini": Variance(0.0, 2)}


def test_the_law_of_the_committed_results_is_of_all_trained_networks():
    """Ten systems, Foley-Flow's static and absent conditions, and both conditions without the alignment stage."""
    setup = Setup(work=Path("nowhere"), results=Path("leaderboards/reproduce/results"), size="tiny", clips=351)
    found = _kinds_of_networks(lenders(setup, read_results(setup.results)))
    models = ("specvqgan", "im2wav", "v2a_mapper", "seeing_hearing", "diff_foley", "foleygen", "maskvat", "vab", "vatt")
    assert {kind[:2] for kind in found} == {
        *(("foleyflow", ""), ("foleyflow", "static"), ("unconditional", "")),
        *(("foleyflow", " without alignment"), ("foleyflow", "static without alignment")),
        *((model, "") for model in models),
    }
    assert len(found) == 14


def test_a_lent_variance_widens_a_row_of_one_seed():
    values = np.random.default_rng(0).normal(5.0, 1.0, 40)
    alone = cell("kld_mini", row(values))
    told = cell("kld_mini", Measured(row(values).entries, {"kld_mini": Variance(0.09, 1e9)}))
    by_clips = values.std(ddof=1) / math.sqrt(40)
    assert alone.high - alone.low == pytest.approx(2 * 2.0227 * by_clips, rel=1e-3)
    assert told.high - told.low == pytest.approx(2 * 1.96 * math.sqrt(by_clips**2 + 0.09), rel=0.01)


def test_several_seeds_take_nothing():
    assert Measured(row([1.0], [2.0]).entries, {"kld_mini": Variance(0.09, 2)}).lent == {}


def test_a_difference_takes_it_twice_and_knows_it_no_better():
    assert _of_both(Variance(0.1, 4), Variance(0.1, 4)) == Variance(0.2, 4)
    found = _of_both(Variance(0.1, 4), Variance(0.3, 2))
    assert found.variance == pytest.approx(0.4)
    assert found.freedom == pytest.approx(0.4**2 / (0.1**2 / 4 + 0.3**2 / 2))
    assert _of_both(Variance(0.1, 4), None) is None


def test_a_difference_of_two_rows_by_hand():
    rng = np.random.default_rng(1)
    one, other = rng.normal(5.0, 1.0, (2, 40))
    lent = {"kld_mini": Variance(0.02, 4)}
    rows = [Measured(row(values).entries, lent) for values in (one, other)]
    found = row_difference("kld_mini", *rows)
    by_clips = (one - other).var(ddof=1) / 40
    assert found.error == pytest.approx(math.sqrt(by_clips + 0.04), rel=1e-6)
    assert found.freedom == pytest.approx((by_clips + 0.04) ** 2 / (by_clips**2 / 39 + 0.04**2 / 4), rel=1e-6)
    assert found.by_seeds == pytest.approx(0.04)
    alone = row_difference("kld_mini", *(Measured(r.entries) for r in rows))
    assert alone.by_seeds is None


@pytest.mark.slow
def test_equal_rows_of_one_seed_differ_as_rarely_as_they_should():
    """Two rows of one law, each run with a luck of its own: 5 % with what others lend, far more without."""
    wrong = {True: 0, False: 0}
    sets = 1000
    for number in range(sets):
        rng = np.random.default_rng(number)
        video = rng.normal(5.0, 1.0, 60)

        def run(rng=rng, video=video):
            return np.maximum(video + 0.3 * rng.normal() + 0.5 * rng.normal(size=60), 0.01)

        lent = pooled_variance([known(run(), run(), run()), known(run(), run(), run())])
        first, second = run(), run()
        for told in (True, False):
            rows = [Measured(row(values).entries, lent if told else None) for values in (first, second)]
            wrong[told] += row_difference("kld_mini", *rows).p_value < 0.05
    assert 0.02 < wrong[True] / sets < 0.065
    assert wrong[False] / sets > 0.5


def made(folder, name, skill):
    make_result(folder / "results", name, skill=skill, metrics=METRICS)


def test_rows_of_every_table_lend_to_their_model(tmp_path):
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results")
    for seed, skill in enumerate((0.7, 0.75, 0.8)):
        made(tmp_path, f"full-tiny-seed{seed}", skill)
    made(tmp_path, "linear-tiny-seed0", 0.7)
    made(tmp_path, "specvqgan-tiny-seed0", 0.2)
    for name in ("v2a_mapper-tiny", "v2a_mapper-tiny-guidance1.25"):
        for seed in range(2):
            made(tmp_path, f"{name}-seed{seed}", 0.3 + 0.1 * seed)
    found = lenders(setup, read_results(tmp_path / "results"))
    assert {kind: {label: len(one.entries) for label, one in rows.items()} for kind, rows in found.items()} == {
        ("foleyflow", "", None): {"Foley-Flow (ours, this corpus and size)": 3},
        ("v2a_mapper", "", None): {"V2A-Mapper core, default guidance": 2},
        ("v2a_mapper", "", 1.25): {"V2A-Mapper core": 2},
    }


def test_a_page_with_one_seed_says_whose_variance_it_takes(tmp_path):
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1)
    names = ("linear", "full", "linear-raw", "gvp-raw")
    for name in names:
        made(tmp_path, f"{name}-tiny-seed0", 0.7)
    write_tables(setup, ["table4"], tmp_path, Path("leaderboards/published.csv"), "c")
    page = (tmp_path / "table4.md").read_text()
    assert "no such row with several" in page
    assert "speak of these trained networks alone" in page
    narrow = widths(tmp_path / "table4.csv")
    made(tmp_path, "full-tiny-seed1", 0.9)
    write_tables(setup, ["table4"], tmp_path, Path("leaderboards/published.csv"), "c")
    page = (tmp_path / "table4.md").read_text()
    assert "To DCF, GDCF, DCF, raw times, GDCF, raw times: from Foley-Flow (ours, this corpus and size) (" in page
    assert "no such row" not in page
    wide = widths(tmp_path / "table4.csv")
    assert wide.keys() == narrow.keys()
    assert all(wide[key] > narrow[key] for key in wide)
    assert sum(wide.values()) > 1.2 * sum(narrow.values())


def test_a_row_without_lenders_takes_what_the_networks_have_in_common(tmp_path):
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1)
    for name in ("linear", "full", "linear-raw", "gvp-raw"):
        made(tmp_path, f"{name}-tiny-seed0", 0.7)
    for name, spread in (("vab", 0.05), ("vatt", 0.1), ("foleygen", 0.2)):
        for seed in range(2):
            made(tmp_path, f"{name}-tiny-seed{seed}", 0.3 + spread * seed)
    write_tables(setup, ["table4"], tmp_path, Path("leaderboards/published.csv"), "c")
    page = (tmp_path / "table4.md").read_text()
    assert "To DCF, GDCF, DCF, raw times, GDCF, raw times: what all trained networks have in common (" in page
    assert "variance between the seeds of a row" not in page  # no row of the page has several
    assert "speak of these trained networks alone" not in page


def widths(path):
    """Return the widths of the intervals of a table's numbers of event F1, by row."""
    rows = csv.DictReader(io.StringIO(path.read_text()))
    kept = [row for row in rows if row["kind"] == "measured" and row["metric"] == "event_f1_25ms"]
    return {row["row"]: float(row["high"]) - float(row["low"]) for row in kept}


def test_a_mean_over_time_lends_to_its_own_kind_alone(tmp_path):
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=1)
    for name in ("none-static-linear", "static-linear", "none", "full"):
        made(tmp_path, f"{name}-tiny-seed0", 0.7)
    for seed, skill in enumerate((0.2, 0.6)):
        made(tmp_path, f"static-tiny-seed{seed}", skill)
    write_tables(setup, ["table2"], tmp_path, Path("leaderboards/published.csv"), "c")
    page = (tmp_path / "table2.md").read_text()
    assert "To VAMA yes, GVAF no: from Foley-Flow, static condition (" in page
    assert "p-values of VAMA no, GVAF no, VAMA no, GVAF yes, VAMA yes, GVAF yes speak" in page
    wide = widths(tmp_path / "table2.csv")
    assert wide["VAMA yes, GVAF no"] > 2 * wide["VAMA no, GVAF yes"]


def test_what_a_page_says_where_some_rows_have_nobody():
    taken, own = {"kld_mini": Variance(0.0625, 2)}, {"kld_mini": Variance(0.01, 2)}
    titles = {"kld_mini": "KLD", "fad_mini": "FAD"}
    text = lent_text([LentTo(("c",), ("FoleyGen core",), taken, own)], ["a", "b"], titles)
    assert "To c: from FoleyGen core (KLD 0.25, alone 0.1; nothing for FAD)." in text
    assert "p-values of a, b speak" in text
    text = lent_text([LentTo(("c",), (), taken, {})], [], titles)
    assert "To c: what all trained networks have in common (KLD 0.25; nothing for FAD)." in text
    assert lent_text([], [], {}) == ""


def test_what_a_kind_lends_is_drawn_towards_what_all_have_in_common():
    """Three kinds with variances 1, 4 and 9 of two seeds; the fourth has none."""
    wide = {kind: known([0.0 + 5] * 9, [math.sqrt(2 * v) + 5] * 9) for kind, v in (("a", 1.0), ("b", 4.0), ("c", 9.0))}
    lending = {(kind, "", None): {kind: rows} for kind, rows in wide.items()}
    law = common_law([Variance(v, 1) for v in (1.0, 4.0, 9.0)])
    kinds = {"x": ("a", "", None), "y": ("d", "", None), "z": ("a", "", None)}
    found = {one.to: one for one in lent_to(kinds, told_by(lending), kinds.values())}
    assert found.keys() == {("x", "z"), ("y",)}
    assert found["x", "z"].own["kld_mini"].variance == pytest.approx(1.0)
    assert found["x", "z"].by == ("a",)
    assert found["x", "z"].variance["kld_mini"] == pytest.approx(law.moderate(Variance(1.0, 1)))
    assert found["y",].variance["kld_mini"] == pytest.approx(law.alone)
    assert (found["y",].by, found["y",].own) == ((), {})
    # Nothing is taken from a baseline, nor from another guidance of a network.
    steady, again = known([5.0] * 9, [5.01] * 9), known([5.0] * 9, [5.01] * 9)
    for entry in steady.entries:
        entry.result = {**entry.result, "run": {"generation": {"nfe": 0}}}
    more = {**lending, ("nearest", "", None): {"n": steady}, ("a", "", 5.0): {"g": again}}
    assert lent_to(kinds, told_by(more), kinds.values()) == list(found.values())
    # A row without a network is lent what its own kind has.
    (plain,) = lent_to({"n": ("nearest", "", None), "m": ("d", "", None)}, told_by(more), ())
    assert plain.to == ("n",)
    assert plain.variance == plain.own == pooled_variance([steady])
    # Of two kinds nothing can be told in common.
    two = {kind: lending[kind, "", None] for kind in ("a", "b")}
    two = {(kind, "", None): rows for kind, rows in two.items()}
    (only,) = lent_to({"x": ("a", "", None), "y": ("d", "", None)}, told_by(two), kinds.values())
    assert only.variance == only.own


@pytest.mark.slow
@pytest.mark.parametrize(("spread_of_kinds", "wanted"), [(0.0, (0.85, 0.54, 0.09)), (1.0, (0.61, 0.4, 0.05))])
def test_a_lender_that_lies_close_together_by_luck_does_not_spoil_a_table(spread_of_kinds, wanted):
    """Twelve kinds of three seeds; four equal rows take the smallest variance. Clips have a tenth of the variance."""
    rng = np.random.default_rng(2)
    wrong = {"nothing": 0, "own": 0, "moderated": 0}
    tables = 0
    while tables < 500:
        true = np.exp(rng.normal(0, spread_of_kinds, 12))
        kinds = [Variance(v, 2) for v in true * rng.chisquare(2, 12) / 2]
        if kinds[0] != min(kinds):
            continue
        tables += 1
        values = rng.normal(0, math.sqrt(true[0] + 0.1), 4)
        nothing = Variance(0.0, math.inf)
        for name, one in (
            ("nothing", nothing),
            ("own", kinds[0]),
            ("moderated", common_law(kinds).moderate(kinds[0])),
        ):
            error, freedom = _error_of_pair(one, 0.2)
            gap = values.max() - values.min()
            wrong[name] += 6 * 2 * distributions.t.sf(gap / error, freedom) < 0.05
    # The table of docs/statistics.md.
    shares = {name: n / tables for name, n in wrong.items()}
    assert shares == pytest.approx(dict(zip(wrong, wanted, strict=True)), abs=0.02)


def _error_of_pair(seeds, by_clips):
    """Welch and Satterthwaite, with clips known by 350."""
    both = _of_both(seeds, seeds)
    total = both.variance + by_clips
    return math.sqrt(total), total**2 / (both.variance**2 / both.freedom + by_clips**2 / 349)


def test_rows_without_a_metric_lend_what_they_have():
    rows = [known([1.0] * 9, [3.0] * 9), known([1.0] * 9, [1.0] * 9)]
    rows[1].entries[0].result = {"metrics": {}}
    assert pooled_variance(rows) == {"kld_mini": Variance(pytest.approx(2.0), 1)}
