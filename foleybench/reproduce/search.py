"""Search every system's settings on the validation split, alike.

Every system of Table 1 gets the same tries: the learning rate of what it trains for itself, halved and doubled, and
its guidance, halved and doubled, where it has one. A try differs from the default in that alone. The default's run is
Table 1's own, of seed 0.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats as distributions

from foleybench.artefacts.entries import ResultEntry, read_all
from foleybench.errors import FoleyError
from foleybench.files import write_atomically
from foleybench.reproduce.cells import column_decimals, direction_of, markdown_table, metric_heading, value_text
from foleybench.reproduce.grids import GRIDS, Grid, GridRow, Variant
from foleybench.reproduce.measure import Difference, Measured, SeedsCell, cell, read_results, row_difference
from foleybench.reproduce.plan import BATCH, Setup, row_name, scoring, table_steps, training_name
from foleybench.reproduce.verdict import Outcome, compare_pairs
from foleybench.runtime.command_plan import Step

METRICS = ("kld_mini", "fad_mini", "align_acc_mini", "event_f1_25ms", "class_accuracy")
FACTORS = (0.5, 2.0)
DEFAULT = "default"
OPEN = "open"
_SPLIT = "val"
_RULE = (
    "Rule, stated before any try was scored: the tries of a system are ranked in every column, and the one with the "
    "best mean rank is its best try. Table 1 keeps the default unless a try is significantly better than it in one "
    "column or more and significantly worse in none (paired over clips, Holm over all tries and columns of the system, "
    "5 %); of several such tries the one with the best mean rank is taken. One training seed: that the seed of a run "
    "moves values too is not in these p-values, so a try that wins here may win by luck, and a default that stays may "
    "not be the best."
)


class Searched(NamedTuple):
    """A system whose settings are searched.

    Attributes:
        rates: The learning rates of what it trains for itself, by setting, as they are by default at size tiny.
        guidance: Its default guidance scale, or None when it has none.
        shares: Parts that make no audio, which the tries take from the default's run.
    """

    rates: Mapping[str, float]
    guidance: float | None
    shares: tuple[str, ...] = ()


_NET = {"net_rate": 2e-3}
# By the name of the system's variant in Table 1. SpecVQGAN never trains without the video, so it cannot be guided.
SEARCHED = {
    "full": Searched({"flow_rate": 2e-3}, 2.5),
    "specvqgan": Searched(_NET, None),
    "im2wav": Searched(_NET, 3.0),
    "v2a_mapper": Searched({"mapper_rate": 1e-3, "flow_rate": 2e-3}, 2.5, ("sound_text",)),
    "seeing_hearing": Searched({"aligner_rate": 2e-3}, 2.5),
    "diff_foley": Searched(_NET, 4.5, ("judge",)),
    "foleygen": Searched(_NET, 3.0),
    "maskvat": Searched(_NET, 2.5),
    "vab": Searched(_NET, 5.0),
    "vatt": Searched(_NET, 5.0),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchTry:
    """One try of one system.

    Attributes:
        label: What it changes.
        row: The training run, with the system's label.
        guidance: Guidance scale at sampling, or None for the default.
    """

    label: str
    row: GridRow
    guidance: float | None = None

    @property
    def variant(self) -> Variant:
        """The training run."""
        assert self.row.variant is not None
        return self.row.variant


def tries() -> dict[str, list[SearchTry]]:
    """Return the tries of every system, the default first, by the system's label."""
    rows = {row.variant.name: row for row in GRIDS["table1"].rows if row.variant}
    return {rows[name].label: _tries_of(rows[name], searched) for name, searched in SEARCHED.items()}


def _tries_of(row: GridRow, searched: Searched) -> list[SearchTry]:
    variant = row.variant
    assert variant is not None
    found = [SearchTry(label=DEFAULT, row=row)]
    for factor in FACTORS:
        settings = {name: f"{rate * factor:g}" for name, rate in searched.rates.items()}
        changed = dataclasses.replace(
            variant,
            name=f"{variant.name}-rate_x{factor:g}",
            settings={**variant.settings, **settings},
            takes={**variant.takes, **dict.fromkeys(searched.shares, variant)},
        )
        found.append(SearchTry(label=f"rate x {factor:g}", row=dataclasses.replace(row, variant=changed)))
    for factor in FACTORS if searched.guidance else ():
        scale = float(searched.guidance or 0) * factor
        found.append(SearchTry(label=f"guidance {scale:g}", row=row, guidance=scale))
    return found


def _results_folder(setup: Setup) -> Path:
    """Return the folder of the results, apart from the tables', which are of the test split."""
    return setup.results.parent / "search_results"


def try_name(setup: Setup, one: SearchTry) -> str:
    """Return the name of a try's result."""
    guided = f"-guidance{one.guidance:g}" if one.guidance else ""
    return f"{_SPLIT}-{row_name(_alone(setup), one.row, 0)}{guided}"


def _alone(setup: Setup) -> Setup:
    """Return the setup of one seed, each system with its own number of evaluations."""
    return dataclasses.replace(setup, seeds=1, nfe=None)


def search_steps(setup: Setup) -> list[Step]:
    """Return the steps system by system: training runs, then a score on the validation split for every try.

    Raises:
        FoleyError: The size has other defaults than those that are halved and doubled here.
    """
    if setup.size != "tiny":
        raise FoleyError(f"--size {setup.size}: the tries of the search are those of size tiny. Leave --size out.")
    found: dict[str, Step] = {}
    for of_system in tries().values():
        rows = tuple(one.row for one in of_system)
        steps = table_steps(_alone(setup), [Grid(number="", title="", rows=rows, reading="")])
        for step in [*steps, *(_score(setup, one) for one in of_system)]:
            if step.words[0] != "eval" or step.name.startswith(f"eval-{_SPLIT}-"):
                found.setdefault(step.name, step)
    return list(found.values())


def _score(setup: Setup, one: SearchTry) -> Step:
    name, run = try_name(setup, one), training_name(setup, one.variant, 0)
    words = ["eval", "--model", one.variant.model, "--checkpoint", str(setup.work / "runs" / run), "--name", name]
    words += ["--guidance", f"{one.guidance:g}"] if one.guidance else []
    words += ["--seed", "0", "--batch", str(BATCH), *scoring(setup, _SPLIT, _results_folder(setup))]
    return Step(f"eval-{name}", tuple(words), (run,))


def measured_tries(setup: Setup) -> set[str]:
    """Return the names of the tries that have a result."""
    folder = _results_folder(setup)
    return {entry.row_name for entry in read_all(folder)} if folder.is_dir() else set()


class SystemTries(NamedTuple):
    """The measured tries of one system.

    Attributes:
        label: The system.
        cells: Label of a try -> metric -> value.
        ranks: Label of a try -> mean rank over the metrics.
        gaps: Metric -> (try, default) -> difference.
        outcomes: Metric -> (try, default) -> what the try is, seen from the default.
        absent: Labels of tries without a result.
    """

    label: str
    cells: Mapping[str, Mapping[str, SeedsCell]]
    ranks: Mapping[str, float]
    gaps: Mapping[str, Mapping[tuple[str, str], Difference]]
    outcomes: Mapping[str, Mapping[tuple[str, str], Outcome]]
    absent: tuple[str, ...]

    def against(self, label: str, outcome: Outcome) -> list[str]:
        """Return the metrics in which a try is that, seen from the default."""
        return [name for name, pairs in self.outcomes.items() if pairs.get((label, DEFAULT)) == outcome]

    @property
    def best(self) -> str:
        """The try of the best mean rank; of equal ones the first, so the default before others."""
        return min(self.ranks, key=lambda label: self.ranks[label])

    @property
    def taken(self) -> str:
        """What Table 1 takes by the rule; nothing while a try is missing, which the correction counts."""
        if self.absent:
            return OPEN
        winners = [label for label in self.ranks if self.against(label, "better") and not self.against(label, "worse")]
        return min(winners, key=lambda label: self.ranks[label], default=DEFAULT)


def measure_system(label: str, measured: Mapping[str, Measured], absent: Sequence[str] = ()) -> SystemTries:
    """Value the tries of a system, rank them, and compare each with the default.

    Args:
        label: The system.
        measured: Label of a try -> its result; the default's is among them.
        absent: Labels of tries without a result.
    """
    cells = {one: {name: cell(name, found) for name in METRICS} for one, found in measured.items()}
    others = [one for one in measured if one != DEFAULT]
    gaps = {
        name: {(one, DEFAULT): row_difference(name, measured[one], measured[DEFAULT]) for one in others}
        for name in METRICS
    }
    outcomes = compare_pairs(gaps, {name: direction_of(name) for name in METRICS})
    return SystemTries(label, cells, _mean_ranks(cells), gaps, outcomes, tuple(absent))


def _mean_ranks(cells: Mapping[str, Mapping[str, SeedsCell]]) -> dict[str, float]:
    """Return each try's mean rank over the metrics, 1 the best; equal values share the mean of their ranks."""
    columns = []
    for name in METRICS:
        values = np.array([cells[one][name].value for one in cells])
        columns.append(distributions.rankdata(-values if direction_of(name) == "higher" else values))
    return dict(zip(cells, np.mean(columns, axis=0).tolist(), strict=True))


def write_search(setup: Setup, out: Path, command: str) -> list[str]:
    """Write the page and its numbers from the results there are; return the names of the missing results."""
    folder = _results_folder(setup)
    results = read_results(folder) if folder.is_dir() else {}
    names = {label: {one.label: try_name(setup, one) for one in found} for label, found in tries().items()}
    missing = [name for wanted in names.values() for name in wanted.values() if name not in results]
    systems = []
    for label, wanted in names.items():
        measured = {one: Measured([results[name]]) for one, name in wanted.items() if name in results}
        if DEFAULT in measured and len(measured) > 1:
            absent = [one for one, name in wanted.items() if name not in results]
            systems.append(measure_system(label, measured, absent))
    if systems:
        first = next(iter(results.values()))
        page = _page(systems, [label for label in names if label not in {s.label for s in systems}], first, command)
        write_atomically(out / "search.md", page.encode())
        write_atomically(out / "search.csv", _csv(systems).encode())
    return missing


def _page(systems: Sequence[SystemTries], unmeasured: Sequence[str], entry: ResultEntry, command: str) -> str:
    data = entry.result["dataset"]
    rows = [
        ["System", "Tries", "Best mean rank", "Taken for Table 1", "Better than the default in", "Not measured yet"]
    ]
    rows += [
        [
            one.label,
            str(len(one.cells)),
            one.best,
            one.taken,
            "; ".join(_names(one, label) for label in one.cells if one.against(label, "better")) or "none",
            ", ".join(one.absent) or "-",
        ]
        for one in systems
    ]
    parts = [
        "<!-- Written by `foleybench reproduce search`. Do not edit: run it again. -->",
        "# Search of settings on the validation split",
        f"Made by `{command}`. Seed 0, {data['name']} {data['split']} split, {data['n_scored']} clips, manifest "
        f"`{data['manifest_sha256'][:12]}`. Result files: `search_results/`. Each system gets the same tries: the "
        "learning rate of what it trains for itself, halved and doubled; its guidance, halved and doubled, where it "
        "has one. All else is as in Table 1.",
        _RULE,
        markdown_table(rows),
        f"Not measured yet: {', '.join(unmeasured)}." if unmeasured else "",
        *(_part(one) for one in systems),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _names(one: SystemTries, label: str) -> str:
    return f"{label}: {', '.join(metric_heading(name) for name in one.against(label, 'better'))}"


def _part(one: SystemTries) -> str:
    digits = {name: column_decimals([cells[name] for cells in one.cells.values()]) for name in METRICS}
    rows = [["Try", *map(metric_heading, METRICS), "Mean rank", "Worse than the default in"]]
    for label, cells in one.cells.items():
        better = one.against(label, "better")
        texts = [value_text(cells[name], digits[name], bold=name in better) for name in METRICS]
        worse = ", ".join(metric_heading(name) for name in one.against(label, "worse")) or "-"
        rows.append([label, *texts, f"{one.ranks[label]:.1f}", worse])
    words = "**Bold**: significantly better than the default."
    return f"## {one.label}\n\n{markdown_table(rows)}\n\n{words}"


def _csv(systems: Sequence[SystemTries]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["system", "try", "metric", "value", "low", "high", "less_default", "p_value", "outcome", "taken"])
    for one in systems:
        for label, cells in one.cells.items():
            for name, value in cells.items():
                gap = one.gaps[name].get((label, DEFAULT))
                p_value = "" if gap is None or gap.p_value is None else repr(gap.p_value)
                less = "" if gap is None else repr(gap.difference)
                tested = (less, p_value, "" if gap is None else one.outcomes[name][label, DEFAULT])
                taken = "yes" if label == one.taken else ""
                writer.writerow([one.label, label, name, value.value, value.low, value.high, *tested, taken])
    return buffer.getvalue()
