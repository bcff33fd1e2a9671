"""Rows with few seeds, their variance drawn towards what all networks have in common: by hand, and by simulation."""

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats as distributions

from foleybench.reproduce.build import _with_known_variance, write_tables
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.lent import lenders, moderated_text, told_by
from foleybench.reproduce.measure import (
    Measured,
    between_seeds,
    cell,
    difference_over_seeds,
    read_results,
    row_difference,
)
from foleybench.reproduce.plan import Setup
from foleybench.stats.moderated import CommonLaw, Variance, common_law
from foleybench.stats.ranking import holm
from tests.made_results import make_result
from tests.reproduce.test_measure import Scored

METRICS = ("event_f1_25ms", "kld_mini", "fad_mini", "align_acc_mini", "class_accuracy")
LAW = CommonLaw(0.09, 6.0, 28.0)


def row(*seeds, law=LAW):
    return Measured([Scored(values) for values in seeds], laws={"kld_mini": law} if law else None)


def test_the_interval_of_three_seeds_by_hand():
    """Seeds at 1, 1.1 and 1.2 (variance .01, 2 degrees of freedom), a law of .09 with 6: .07 with 8."""
    clips = np.full(400, 1.0)
    found = cell("kld_mini", row(clips, clips + 0.1, clips + 0.2))
    half = distributions.t.ppf(0.975, 8) * math.sqrt(0.07 / 3)
    assert (found.low, found.high) == pytest.approx((1.1 - half, 1.1 + half), rel=1e-6)


def test_a_difference_of_two_networks_takes_the_law_twice():
    """Differences 1, 1.2 and 1.1 (variance .01), a law of .18 with 6: .1375 with 8."""
    zero = np.linspace(5.0, 6.0, 50)
    first, second = row(zero + 1.0, zero + 1.2, zero + 1.1), row(zero, zero, zero)
    found = row_difference("kld_mini", first, second)
    assert found.difference == pytest.approx(1.1)
    assert found.by_seeds == pytest.approx(0.1375 / 3)
    assert (found.freedom, found.law_freedom) == (pytest.approx(8.0), 6.0)
    assert found.p_value == pytest.approx(2 * distributions.t.sf(1.1 / math.sqrt(0.1375 / 3), 8))


@pytest.mark.parametrize("spread", [0.0, 2.0])
def test_a_row_without_a_network_has_its_own_part_of_a_difference(spread):
    """The network's part is .07 / 3 with 8 degrees of freedom; the baseline's spread is its own, with 2."""
    zero = np.linspace(5.0, 6.0, 50)
    network = row(zero + 1.0, zero + 1.2, zero + 1.1)
    baseline = row(zero + spread, zero, zero - spread, law=None)
    own = spread**2 / 3
    for pair in ((network, baseline), (baseline, network)):
        found = row_difference("kld_mini", *pair)
        assert found.by_seeds == pytest.approx(0.07 / 3 + own)
        assert found.freedom == pytest.approx((0.07 / 3 + own) ** 2 / ((0.07 / 3) ** 2 / 8 + own**2 / 2))
        assert found.law_freedom == 0.0
    alone = row_difference("kld_mini", baseline, row(zero + 1.0, zero + 1.2, zero + 1.1, law=None))
    assert alone.by_seeds == pytest.approx(np.var([spread - 1.0, -1.2, -spread - 1.1], ddof=1) / 3)
    assert alone.law_freedom == 0.0


def test_one_seed_takes_no_law():
    """What is lent to it was drawn towards the law already; of how well more seeds would be known the law tells."""
    values = np.linspace(5.0, 6.0, 50)
    lent = {"kld_mini": Variance(0.02, 4)}
    rows = [Measured([Scored(values + gap)], lent, {"kld_mini": LAW}) for gap in (0.0, 0.1)]
    found = row_difference("kld_mini", *rows)
    assert (found.by_seeds, found.law_freedom) == (pytest.approx(0.04), 6.0)
    alone = [Measured([Scored(values + gap)], None, {"kld_mini": LAW}) for gap in (0.0, 0.1)]
    assert row_difference("kld_mini", *alone).by_seeds is None


def test_the_page_says_towards_what():
    titles = {"kld_mini": "KLD", "fad_mini": "FAD", "event_f1_25ms": "F1"}
    laws = {"kld_mini": LAW, "fad_mini": CommonLaw(64.0, 40.0, 40.0)}
    text = moderated_text(laws, titles)
    assert "degrees of freedom: KLD 0.3 (6), FAD 8 (40)." in text
    assert "to tell what they have in common in F1:" in text
    assert "Too few kinds" not in moderated_text(laws, {"kld_mini": "KLD"})
    assert moderated_text({}, {"kld_mini": "KLD"}).startswith("Too few kinds")


def test_rows_of_a_table_are_drawn_towards_three_kinds_or_none(tmp_path):
    """The rows of Table 4 are one kind, whose seeds lie close together; others come from Table 1, and differ much."""
    spreads = {"linear": 0.001, "full": 0.001, "linear-raw": 0.001, "gvp-raw": 0.001, "vab": 0.1, "vatt": 0.2}
    errors = {}
    for kinds in (2, 3):
        folder = tmp_path / str(kinds)
        setup = Setup(work=folder / "work", results=folder / "results", seeds=2)
        for name, spread in list(spreads.items())[: 3 + kinds]:
            for seed in range(2):
                make_result(folder / "results", f"{name}-tiny-seed{seed}", skill=0.5 + spread * seed, metrics=METRICS)
        write_tables(setup, ["table4"], folder, Path("leaderboards/published.csv"), "c")
        page = (folder / "table4.md").read_text()
        assert ("averaged with one that all trained networks have in" in page) == (kinds == 3)
        assert ("Too few kinds of trained networks have several seeds" in page) == (kinds == 2)
        rows = csv.DictReader(io.StringIO((folder / "table4.csv").read_text()))
        errors[kinds] = [float(one["error"]) for one in rows if one["kind"] == "difference"]
    assert len(errors[2]) == len(errors[3]) > 0
    assert all(drawn > own for own, drawn in zip(errors[2], errors[3], strict=True))


def test_a_row_without_a_network_keeps_its_own_variance(tmp_path):
    """Only what samples a network varies as networks do; a row with one seed has nothing to draw."""
    setup = Setup(work=tmp_path / "work", results=tmp_path / "results", seeds=2)
    names = ("full", "vab", "vatt", "foleygen", "pasted_grains")
    for name, spread in zip(names, (0.01, 0.05, 0.1, 0.2, 0.02), strict=True):
        for seed in range(2):
            make_result(tmp_path / "results", f"{name}-tiny-seed{seed}", skill=0.3 + spread * seed, metrics=METRICS)
    results = read_results(tmp_path / "results")
    rows = {row.variant.name: row for row in GRIDS["table1"].rows if row.variant and row.variant.name in names}
    for seed in range(2):
        results[f"pasted_grains-tiny-seed{seed}"].result["run"] = {"generation": {"nfe": None}}
    entries = {row.label: [results[f"{name}-tiny-seed{seed}"] for seed in range(2)] for name, row in rows.items()}
    lending = told_by(lenders(setup, results))
    measured, text = _with_known_variance(GRIDS["table1"], entries, lending)
    assert {label for label, row in measured.items() if row.laws} == {
        row.label for name, row in rows.items() if name != "pasted_grains"
    }
    assert text.startswith("Rows with several seeds: since few seeds can lie close together by luck")
    only = {rows["pasted_grains"].label: entries[rows["pasted_grains"].label]}
    assert _with_known_variance(GRIDS["table1"], only, lending)[1] == ""


@pytest.mark.slow
@pytest.mark.parametrize(("spread_of_kinds", "n_seeds", "own"), [(0.0, 2, 0.6), (0.0, 3, 0.3), (0.5, 3, 0.3)])
def test_a_table_of_equal_rows_names_hardly_a_pair(spread_of_kinds, n_seeds, own):
    """Ten rows, Holm over 45 pairs; fourteen kinds tell the law. Clips have a twentieth of the variance of a run.

    The table of ``benchmarks/results/seed_errors.md``, with fewer sets.
    """
    rng, tables = np.random.default_rng(3), 300
    wrong = {"own": 0, "moderated": 0}
    change = np.tile([1.0, -1.0], 175) * math.sqrt(0.1 / 350)
    for _ in range(tables):
        true = np.exp(rng.normal(0, spread_of_kinds, 24))
        law = common_law([Variance(v, 2) for v in true[:14] * rng.chisquare(2, 14) / 2])
        rows = rng.normal(0, np.sqrt(true[14:, None]), (10, n_seeds)) + rng.normal(0, math.sqrt(0.05), (10, 1))
        for name, told in (("own", None), ("moderated", law.of_two())):
            gaps = [rows[first] - rows[second] for first in range(10) for second in range(first)]
            p_values = [difference_over_seeds(gap, change, between_seeds(gap, told)).p_value for gap in gaps]
            wrong[name] += min(holm(p_values)) < 0.05
    assert wrong["own"] / tables > own
    assert wrong["moderated"] / tables < 0.1
