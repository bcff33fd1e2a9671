"""Plan a search of every system's settings on the validation split.

Every system of Table 1 gets the same tries: the learning rate of what it trains for itself, halved and doubled, and
its guidance, halved and doubled, where it has one. A try differs from the default in that alone. The default is trained
as Table 1's row of seed 0; where that was on another machine, the weights may differ, and the page says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from foleybench.artefacts.entries import read_all
from foleybench.errors import FoleyError
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.plan import BATCH, Setup, row_name, scoring, table_steps, training_name
from foleybench.reproduce.rows import Grid, GridRow, Variant
from foleybench.runtime.command_plan import Step

FACTORS = (0.5, 2.0)
DEFAULT = "default"
_SPLIT = "val"
_TABLE = GRIDS["table1"]


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
    "diff_foley": Searched(_NET, 4.5),
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
        told: The settings that the search changes, as this try has them.
        guidance: Guidance scale at sampling, or None for the default.
    """

    label: str
    row: GridRow
    told: str
    guidance: float | None = None

    @property
    def variant(self) -> Variant:
        """The training run."""
        assert self.row.variant is not None
        return self.row.variant


def tries() -> dict[str, list[SearchTry]]:
    """Return the tries of every system, the default first, by the system's label."""
    rows = {row.variant.name: row for row in _TABLE.rows if row.variant and row.guidance is None}
    labels = {row.variant.name: row.label for row in _TABLE.rows if row.variant and not row.unranked}
    return {labels[name]: _tries_of(rows[name], searched) for name, searched in SEARCHED.items()}


def ranked_row(one: SearchTry) -> GridRow | None:
    """Return the row of Table 1 that has the settings of a try, among those that are ranked; None for none."""
    rows = (row for row in _TABLE.rows if row.variant == one.variant and not row.unranked)
    return next((row for row in rows if row.guidance == one.guidance), None)


def _tries_of(row: GridRow, searched: Searched) -> list[SearchTry]:
    variant = row.variant
    assert variant is not None
    found = [SearchTry(label=DEFAULT, row=row, told=_told(searched.rates, searched.guidance))]
    for factor in FACTORS:
        rates = {name: rate * factor for name, rate in searched.rates.items()}
        changed = dataclasses.replace(
            variant,
            name=f"{variant.name}-rate_x{factor:g}",
            settings={**variant.settings, **{name: f"{rate:g}" for name, rate in rates.items()}},
            takes={**variant.takes, **dict.fromkeys(searched.shares, variant)},
        )
        told = _told(rates, searched.guidance)
        found.append(SearchTry(label=f"rate x {factor:g}", row=dataclasses.replace(row, variant=changed), told=told))
    for factor in FACTORS if searched.guidance else ():
        scale = float(searched.guidance or 0) * factor
        told = _told(searched.rates, scale)
        found.append(SearchTry(label=f"guidance {scale:g}", row=row, told=told, guidance=scale))
    return found


def _told(rates: Mapping[str, float], guidance: float | None) -> str:
    named = [f"{name} {rate:g}" for name, rate in rates.items()]
    return ", ".join([*named, *([f"guidance {guidance:g}"] if guidance else [])])


def search_folder(setup: Setup) -> Path:
    """Return the folder of the search's results, apart from the tables', which are of the test split."""
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
    words += ["--seed", "0", "--batch", str(BATCH), *scoring(setup, _SPLIT, search_folder(setup))]
    return Step(f"eval-{name}", tuple(words), (run,))


def measured_tries(setup: Setup) -> set[str]:
    """Return the names of the tries that have a result."""
    folder = search_folder(setup)
    return {entry.row_name for entry in read_all(folder)} if folder.is_dir() else set()
