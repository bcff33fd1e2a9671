"""The search of settings: what is tried, what is taken, what the page says."""

import csv
import dataclasses
import importlib
import io
from pathlib import Path

import pytest

from foleybench import cli
from foleybench.api.model import TrainContext
from foleybench.reproduce import search, search_measure
from foleybench.reproduce.build import steps_of, write_tables
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.measure import SeedsCell, read_results
from foleybench.reproduce.plan import Setup, left_to_do
from foleybench.reproduce.search_measure import METRICS, OPEN, SystemTries, measure_system
from foleybench.reproduce.search_page import write_search
from foleybench.stats.moderated import Variance
from foleymodels._parts.settings import flat
from foleymodels.foleyflow.settings import resolve_foleyflow
from tests import made_results
from tests.made_results import make_result, run_of

SETUP = Setup(work=Path("w"), results=Path("t/results"), data=Path("d"), clips=108)
CONTEXT = TrainContext(data=Path("d"), val=None, out=Path("o"), size="tiny", settings={})


def defaults(name):
    """Return the settings of a system of Table 1 at size tiny."""
    if name == "full":
        return flat(resolve_foleyflow(CONTEXT)[0])
    settings, _ = importlib.import_module(f"foleymodels.{name}.system").SYSTEM.resolve(CONTEXT)
    return flat(settings)


def test_every_trained_system_of_table_1_is_searched():
    ablations = {"static", "unconditional", "pasted_grains", "nearest", "fixed_babble", "motion_babble"}
    assert set(search.SEARCHED) == {row.variant.name for row in GRIDS["table1"].rows if row.variant} - ablations


@pytest.mark.parametrize("name", search.SEARCHED)
def test_what_is_halved_and_doubled_is_the_default(name):
    found, searched = defaults(name), search.SEARCHED[name]
    assert {rate: found[rate] for rate in searched.rates} == searched.rates
    assert found["guidance"] == (searched.guidance or 1.0)


def test_a_try_differs_from_the_default_in_one_thing():
    for label, tries in search.tries().items():
        default = tries[0]
        assert default.label == search.DEFAULT
        assert (default.variant, default.guidance) == (default.row.variant, None)
        assert default.row.label.removesuffix(", default guidance") == label
        assert default.row in GRIDS["table1"].rows, "the default is trained as Table 1's row"
        for one in tries[1:]:
            changed = set(one.variant.settings.items()) - set(default.variant.settings.items())
            assert bool(changed) != bool(one.guidance), one.label
            assert one.variant.model == default.variant.model
            assert {k: v for k, v in one.variant.takes.items() if k in default.variant.takes} == default.variant.takes


def test_the_tries_of_two_systems_by_hand():
    tries = search.tries()
    mapper = {one.label: (dict(one.variant.settings), one.guidance) for one in tries["V2A-Mapper core"]}
    kept = {"stage1": "vama"}
    assert mapper == {
        "default": (kept, None),
        "rate x 0.5": ({**kept, "mapper_rate": "0.0005", "flow_rate": "0.001"}, None),
        "rate x 2": ({**kept, "mapper_rate": "0.002", "flow_rate": "0.004"}, None),
        "guidance 1.25": (kept, 1.25),
        "guidance 5": (kept, 5.0),
    }
    assert [one.label for one in tries["SpecVQGAN core"]] == ["default", "rate x 0.5", "rate x 2"]


def test_the_plan_trains_three_runs_a_system_and_scores_on_val_alone():
    steps = {step.name: step for step in steps_of(SETUP, ["search"])}
    scores = [step for step in steps.values() if step.words[0] == "eval"]
    assert len(scores) == 9 * 5 + 3
    for step in scores:
        words = list(step.words)
        assert words[words.index("--data") + 1] == "d/val.manifest.jsonl"
        assert words[words.index("--out") + 1] == "t/search_results"
        assert words[words.index("--limit") + 1] == "108"
        assert step.after[0] in steps
    trained = {step.after[0] for step in scores}
    assert len(trained) == 3 * 10
    guided = next(step for step in scores if step.name == "eval-val-maskvat-tiny-clips108-seed0-guidance5")
    assert guided.after == ("maskvat-tiny-seed0",)
    assert "--guidance 5 " in guided.command
    assert "net_rate=0.004" in steps["maskvat-rate_x2-tiny-seed0"].words
    shared = [word for word in steps["v2a_mapper-rate_x2-tiny-seed0"].words if word.startswith("sound_text=")]
    assert shared == ["sound_text=w/runs/v2a_mapper-tiny-seed0/sound_text"]


def test_systems_come_one_after_the_other():
    """A plan that is stopped has whole systems."""
    names = [step.name for step in steps_of(SETUP, ["search"])]
    last_of_first = names.index("eval-val-full-tiny-clips108-seed0-guidance5")
    assert last_of_first < names.index("specvqgan-tiny-seed0")


def test_evaluations_that_were_asked_for_change_nothing():
    """Each system is searched with its own number, which the page would else not be about."""
    assert steps_of(dataclasses.replace(SETUP, nfe=4), ["search"]) == steps_of(SETUP, ["search"])


def made(tmp_path, name, skill, **more):
    make_result(tmp_path / "search_results", name, skill=skill, metrics=METRICS, **more)


def of_tries(tmp_path, skills, lent=None):
    """Return the tries of a made system by their skills."""
    for label, skill in skills.items():
        made(tmp_path, f"val-{label}", skill)
    results = read_results(tmp_path / "search_results")
    row = search.tries()["MaskVAT core"][0].row
    tries = [
        search.SearchTry(label=label, row=row, told="", guidance=2.0 if label.startswith("guidance") else None)
        for label in skills
    ]
    return measure_system("Made", tries, {label: results[f"val-{label}"] for label in skills}, lent)


def test_a_try_that_is_better_everywhere_is_taken(tmp_path):
    found = of_tries(tmp_path, {"default": 0.3, "low": 0.1, "high": 0.9})
    assert (found.best, found.taken) == ("high", "high")
    assert found.ranks == {"high": 1.0, "default": 2.0, "low": 3.0}
    assert "event_f1_25ms" in found.against("high", "better")
    assert "event_f1_25ms" in found.against("low", "worse")


def test_a_try_that_is_no_better_than_chance_changes_nothing(tmp_path):
    found = of_tries(tmp_path, {"default": 0.5, "same": 0.5})
    assert found.taken == search.DEFAULT
    assert not found.against("same", "better")


@pytest.mark.parametrize(
    ("outcomes", "taken"),
    [
        ({"a": ["better", "worse"], "b": ["undecided", "undecided"]}, "default"),
        ({"a": ["better", "worse"], "b": ["better", "undecided"]}, "b"),
        ({"a": ["better", "equivalent"], "b": ["better", "undecided"]}, "a"),
        ({"a": ["equivalent", "undecided"], "b": ["worse", "worse"]}, "default"),
    ],
)
def test_the_rule(outcomes, taken):
    """Better in one column or more, worse in none; of several the best mean rank, here a's."""
    seen = {
        metric: {(label, "default"): told[at] for label, told in outcomes.items()}
        for at, metric in enumerate(METRICS[:2])
    }
    ranks = {"default": 3.0, "a": 1.0, "b": 2.0}
    found = SystemTries("Made", {label: {} for label in ranks}, ranks, {}, seen)
    assert found.taken == taken
    assert found.best == "a"


def test_a_missing_try_leaves_it_open():
    assert SystemTries("Made", {}, {"default": 1.0, "a": 2.0}, {}, {}, ("b",)).taken == OPEN


def test_the_luck_of_two_trainings_is_in_a_try_of_the_rate_and_not_in_one_of_the_guidance(tmp_path):
    skills = {"default": 0.45, "rate": 0.75, "guidance": 0.75}
    plain = of_tries(tmp_path, skills)
    lucky = of_tries(tmp_path, skills, {name: Variance(900.0, 6) for name in METRICS})
    for name in METRICS:
        rate, guidance = (("rate", "default"), ("guidance", "default"))
        assert lucky.gaps[name][guidance] == plain.gaps[name][guidance]
        before, after = plain.gaps[name][rate], lucky.gaps[name][rate]
        assert after.difference == before.difference
        assert after.error**2 == pytest.approx(before.error**2 + 2 * 900.0)
    assert plain.taken == "rate", "of equal ranks the first"
    assert not lucky.against("rate", "better")
    assert lucky.taken == "guidance"


def test_an_undefined_value_is_the_worst_in_its_column():
    cells = {
        label: {name: SeedsCell(value, None, None, (value,)) for name in METRICS}
        for label, value in (("a", 0.2), ("b", float("nan")), ("c", 0.4))
    }
    ranks = search_measure._mean_ranks(cells)
    higher = 3  # of the five metrics, in which c is better than a
    assert ranks == {"a": (2 * higher + 2) / 5, "b": 3.0, "c": (higher + 2 * 2) / 5}


def test_equal_ranks_leave_the_default():
    found = SystemTries("Made", {}, {"default": 1.5, "a": 1.5}, {}, {})
    assert found.best == search.DEFAULT


def test_page_and_numbers_of_what_is_there(tmp_path):
    """Of one seed and with each system's own evaluations, whatever was asked for beside it: so says the command."""
    setup = dataclasses.replace(SETUP, results=tmp_path / "results", work=tmp_path / "w", clips=None, seeds=3, nfe=4)
    for one, skill in zip(search.tries()["MaskVAT core"][:3], (0.3, 0.9, 0.31), strict=True):
        made(tmp_path, search.try_name(setup, one), skill)
    missing = write_tables(setup, ["search"], tmp_path, Path("leaderboards/published.csv"), "the command")
    assert len(missing) == 48 - 3
    page = (tmp_path / "search.md").read_text()
    summary = next(line for line in page.splitlines() if line.startswith("| MaskVAT core"))
    cells = [cell.strip() for cell in summary.strip("|").split("|")]
    assert cells[1:4] == ["3", "rate x 0.5", "open"]
    assert cells[5] == "guidance 1.25, guidance 5"
    assert "Made by `foleybench reproduce search --size tiny --seeds 1`. Seed 0, " in page
    assert "Not measured yet: Foley-Flow (ours, this corpus and size), SpecVQGAN core" in page
    rows = list(csv.DictReader(io.StringIO((tmp_path / "search.csv").read_text())))
    assert len(rows) == 3 * len(METRICS)
    assert not any(row["taken"] for row in rows), "a try that is missing counts in the correction"
    for one in search.tries()["MaskVAT core"][3:]:
        made(tmp_path, search.try_name(setup, one), 0.3)
    write_tables(setup, ["search"], tmp_path, Path("leaderboards/published.csv"), "the command")
    all_rows = list(csv.DictReader(io.StringIO((tmp_path / "search.csv").read_text())))
    assert {row["try"] for row in all_rows if row["taken"]} == {"rate x 0.5"}
    default = [row for row in rows if row["try"] == "default"]
    assert all(row["less_default"] == row["outcome"] == "" for row in default)
    worse = {(row["try"], row["outcome"]) for row in rows if row["metric"] == "event_f1_25ms"}
    assert ("rate x 0.5", "better") in worse


def test_the_page_says_what_a_try_is_and_whose_network_the_default_is(tmp_path, monkeypatch):
    setup = dataclasses.replace(SETUP, results=tmp_path / "results")
    for label in ("MaskVAT core", "VAB core"):
        for one, skill in zip(search.tries()[label], (0.3, 0.9, 0.31, 0.2, 0.4), strict=True):
            made(tmp_path, search.try_name(setup, one), skill)
    older = {"mini_class": {"version": 7, "weights_sha256": "d" * 64}}
    monkeypatch.setattr(made_results, "run_of", lambda *asked: {**run_of(*asked), "encoders": older})
    for name, seeds in (("maskvat", 3), ("vab", 3)):
        for seed in range(seeds):
            name_of_row = f"{name}-tiny-clips7-seed{seed}"
            changes = {} if name == "maskvat" else {"section": {"checkpoint_sha256": "d" * 64}}
            make_result(tmp_path / "results", name_of_row, skill=0.2 + 0.2 * seed, metrics=METRICS, **changes)
    write_search(setup, tmp_path)
    page = (tmp_path / "search.md").read_text()
    assert "The default is Table 1's own network of seed 0 for MaskVAT core." in page
    assert "For VAB core it was trained again" in page
    assert "No rows with several seeds" not in page
    assert "| rate x 0.5 | net_rate 0.001, guidance 2.5 |" in page
    assert "| guidance 2.5 | net_rate 0.002, guidance 2.5 |" in page, "VAB's default of 5 halved"
    assert "Table 1 does not rank yet what is taken: MaskVAT core (guidance 5), VAB core (guidance 10)." in page
    best = page[page.index("## Every system at its best") :]
    row = next(line for line in best.splitlines() if line.startswith("| MaskVAT core"))
    assert row.count("(rate x 0.5)") == len(METRICS), "the best in every column, KLD and FAD too"
    can = next(line for line in page.splitlines() if line.startswith("What can be found: "))
    of_rate, of_guidance = can.split("of the rate: ")[1].split("In that of the guidance: ")
    sizes = [float(text.split("Align Acc (mini) (%) ↑ ")[1].split(";")[0]) for text in (of_rate, of_guidance)]
    assert sizes[0] > sizes[1], "the luck of two trainings counts in the first alone"
    assert "Evaluators: mini_class 1 (Table 1: mini_class 7)." in page


def test_the_page_says_what_table_1_ranks(tmp_path):
    setup = dataclasses.replace(SETUP, results=tmp_path / "results")
    (default, *others) = search.tries()["V2A-Mapper core"]
    assert default.row.guidance is None
    assert [one.label for one in (default, *others) if search.ranked_row(one)] == ["guidance 1.25"]
    for one in (default, *others):
        made(tmp_path, search.try_name(setup, one), 0.9 if one.label == "guidance 1.25" else 0.3)
    for name in ("v2a_mapper-tiny-clips7-seed0", "v2a_mapper-tiny-clips7-guidance1.25-seed0"):
        write_search(setup, tmp_path)
        page = (tmp_path / "search.md").read_text()
        assert "Table 1 does not rank yet what is taken: V2A-Mapper core (guidance 1.25)." in page
        make_result(tmp_path / "results", name, skill=0.3, metrics=METRICS)
    write_search(setup, tmp_path)
    page = (tmp_path / "search.md").read_text()
    assert "Table 1 ranks V2A-Mapper core (guidance 1.25), and shows the default unranked beside it." in page
    assert "does not rank yet" not in page


def test_without_tables_nothing_is_said_of_their_runs_and_seeds(tmp_path):
    setup = dataclasses.replace(SETUP, results=tmp_path / "results")
    for one in search.tries()["MaskVAT core"]:
        made(tmp_path, search.try_name(setup, one), 0.5)
    write_search(setup, tmp_path)
    page = (tmp_path / "search.md").read_text()
    assert "trained again with the same settings" not in page
    assert "Table 1's own network" not in page
    assert "No rows with several seeds are there for MaskVAT core: all of their tests know the clips alone." in page


def test_one_try_alone_is_no_page(tmp_path):
    setup = dataclasses.replace(SETUP, results=tmp_path / "results")
    made(tmp_path, search.try_name(setup, search.tries()["MaskVAT core"][0]), 0.5)
    assert len(write_search(setup, tmp_path)) == 48 - 1
    assert not (tmp_path / "search.md").exists()


def test_what_stands_is_not_made_again(tmp_path):
    setup = dataclasses.replace(SETUP, results=tmp_path / "results")
    for one in search.tries()["VATT core"]:
        made(tmp_path, search.try_name(setup, one), 0.5)
    left = {step.name for step in left_to_do(steps_of(setup, ["search"]), search.measured_tries(setup), ())}
    assert not any("vatt" in name for name in left)
    assert "maskvat-rate_x2-tiny-clips108-seed0" not in left
    assert "eval-val-maskvat-rate_x2-tiny-clips108-seed0" in left


def test_the_command_knows_it(tmp_path, capsys):
    words = ["reproduce", "search", "--dry-run", "--keep", "--work", str(tmp_path), "--out", str(tmp_path / "o")]
    assert cli.main(words) == 0
    assert "flow_rate=0.004" in capsys.readouterr().out


def test_another_size_has_other_defaults(tmp_path, capsys):
    words = ["reproduce", "search", "--size", "base", "--dry-run", "--out", str(tmp_path / "o")]
    assert cli.main(words) == 1
    assert "the tries of the search are those of size tiny" in capsys.readouterr().err


def test_no_page_is_named_that_was_not_written(tmp_path, capsys):
    words = ["reproduce", "search", "--tables-only", "--out", str(tmp_path / "o")]
    assert cli.main(words) == 3
    assert capsys.readouterr().out == ""
