"""Collect the steps of tables, and write their pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from foleybench import registry
from foleybench.artefacts.entries import ResultEntry
from foleybench.artefacts.published import ReportedTable, read_published, tables
from foleybench.errors import FoleyError
from foleybench.files import write_atomically
from foleybench.reproduce import heldout, heldout_page, search, search_page, speed, speed_page
from foleybench.reproduce.cells import evaluations_made, evaluators_text
from foleybench.reproduce.codebooks import codebook_uses, codebooks_text
from foleybench.reproduce.copying import copying_text, missing_shares
from foleybench.reproduce.costs import costs_text, training_times
from foleybench.reproduce.curves import learning_curves, training_text
from foleybench.reproduce.grids import GRIDS
from foleybench.reproduce.lent import (
    Lending,
    lenders,
    lent_text,
    lent_to,
    moderated_text,
    row_kind,
    samples_a_network,
    told_by,
)
from foleybench.reproduce.measure import Measured, read_results
from foleybench.reproduce.picture import PicturePoint, draw_picture
from foleybench.reproduce.plan import Setup, is_on_all_clips, row_name, table_steps
from foleybench.reproduce.rows import Grid
from foleybench.reproduce.shown_seeds import seeds_phrase
from foleybench.reproduce.timing import RowTime, read_times
from foleybench.reproduce.write import COLUMNS, MORE, Table, csv_text, make_table, table_markdown
from foleybench.runtime.command_plan import Step

# Fewer rows of a seed are no table.
_FEWEST_ROWS = 2


def steps_of(setup: Setup, names: Sequence[str]) -> list[Step]:
    """Return the steps of tables and figures, each once."""
    steps = table_steps(setup, [GRIDS[name] for name in names if name in GRIDS])
    for name, steps_of_figure in (
        ("speed", speed.speed_steps),
        ("heldout", heldout.heldout_steps),
        ("search", search.search_steps),
    ):
        if name in names:
            known = {step.name for step in steps}
            steps += [step for step in steps_of_figure(setup) if step.name not in known]
    return steps


def write_tables(setup: Setup, names: Sequence[str], out: Path, published: Path, command: str) -> list[str]:
    """Write the requested tables from the existing results.

    Returns:
        Names of the results that are missing; their rows, or their seeds, are left out, and the page says so. A table
        without measurements shows the paper's values.

    Raises:
        FoleyError: Some row has results and no seed has those of two rows, the results have another length of training,
            or the list of published numbers cannot be read.
    """
    results = read_results(setup.results)
    reported = {table.number: table for table in tables(read_published(published))}
    lending = told_by(lenders(setup, results) if set(names) - {"search"} else {})
    known = _Known(results, reported, lending)
    missing: list[str] = []
    for name in names:
        if name == "speed":
            missing += speed_page.write_speed(setup, results, lending.laws, out)
        elif name == "heldout":
            missing += heldout_page.write_heldout(setup, lending.laws, out)
        elif name == "search":
            missing += search_page.write_search(setup, out)
        else:
            missing += _write_table(setup, name, known, out, command)
    return sorted(set(missing))


class _Known(NamedTuple):
    """The results by name, the paper's tables by number, and what rows with several seeds tell of seeds."""

    results: Mapping[str, ResultEntry]
    reported: Mapping[str, ReportedTable]
    lending: Lending


def _write_table(setup: Setup, name: str, known: _Known, out: Path, command: str) -> list[str]:
    grid, results = GRIDS[name], known.results
    reported = known.reported.get(grid.number)
    wanted = {
        row.label: [row_name(setup, row, seed) for seed in range(setup.seeds)] for row in grid.rows if row.variant
    }
    missing = [one for names in wanted.values() for one in names if one not in results]
    compared = {row.label: wanted[row.label] for row in grid.rows if row.variant and not row.unranked}
    seeds = _seeds_of_blocks(setup, grid, compared, results)
    if not seeds:
        best, lacking = _fullest_seed(compared, results, setup.seeds)
        seeds = {row.block: best for row in grid.rows}
        if len(compared) - len(lacking) < _FEWEST_ROWS:
            _require_none(setup, name, wanted, results, missing)
            wanted = {}
    # Rows that nothing is compared with show the seeds that they have.
    of_each = {row.label: seeds[row.block] if row.label in compared else range(setup.seeds) for row in grid.rows}
    entries = {
        label: found
        for label, names in wanted.items()
        if (found := [results[names[seed]] for seed in of_each[label] if names[seed] in results])
    }
    absent = [label for label in wanted if label not in entries]
    measured, caveat = _with_known_variance(grid, entries, known.lending)
    every = sorted(set().union(*seeds.values()))
    ladder = {row.label: [row_name(setup, row, seed) for seed in every] for row in grid.ladder}
    missing += [one for names in ladder.values() for one in names if one not in results]
    missing += missing_shares(setup, grid, results)
    bounds = {label: [results[one] for one in names if one in results] for label, names in ladder.items()}
    controls, left_out = _controls(setup, results) if grid.controls and measured else ({}, [])
    missing += left_out
    controls |= {label: Measured(entries) for label, entries in bounds.items() if entries}
    table = make_table(grid, measured, reported, controls, [label for label in absent if label in compared])
    further = _further(setup, name, results, table, out) if measured else []
    shown_later = "; ".join(label for label in absent if label not in compared)
    later = f"Not measured yet, and compared with nothing: {shown_later}." if shown_later else ""
    words = " ".join(part for part in (_words(setup, measured, seeds), later, caveat) if part)
    page = table_markdown(table, command, words, further)
    write_atomically(out / f"{name}.md", page.encode())
    write_atomically(out / f"{name}.csv", csv_text(table).encode())
    return missing


def _further(setup: Setup, name: str, results: Mapping[str, ResultEntry], table: Table, out: Path) -> list[str]:
    """Return the parts of a page on what is drawn, codes, copying, costs and training."""
    grid, measured = table.grid, table.measured
    files = {kind: f"{name}_{kind}.csv" for kind in ("codebooks", "training", "times", "curves")}
    uses = codebook_uses(setup, grid, results, out / files["codebooks"])
    times = read_times(setup, grid, out / files["times"])
    trained = training_times(setup, grid, measured, out / files["training"])
    return [
        _picture(table, times, out / f"{name}.png") if grid.picture else "",
        codebooks_text(setup, grid, uses, results, files["codebooks"]),
        copying_text(setup, grid, results),
        costs_text(measured, trained, files["training"], times, files["times"]),
        training_text(learning_curves(setup, grid, measured, out / files["curves"]), files["curves"]),
    ]


def _with_known_variance(
    grid: Grid, entries: Mapping[str, Sequence[ResultEntry]], lending: Lending
) -> tuple[dict[str, Measured], str]:
    """Return the rows with what is known of the variance between seeds, and what the page says of it.

    Rows with one seed take the variance of others; that of several seeds of a network is drawn towards the law of all.
    """
    alone = {label for label, found in entries.items() if len(found) == 1}
    networks = {label for label, found in entries.items() if samples_a_network(found[0])}
    kinds = {row.label: row_kind(row) for row in grid.rows if row.variant and row.label in alone}
    lent = lent_to(kinds, lending, {kind for label, kind in kinds.items() if label in networks})
    variances = {label: one.variance for one in lent for label in one.to}
    measured = {
        label: Measured(found, variances.get(label), lending.laws if label in networks else None)
        for label, found in entries.items()
    }
    titles = {name: registry.load("metrics", name).title for name in (*COLUMNS.values(), *MORE)}
    of_one = lent_text(lent, [label for label in kinds if label not in variances], titles)
    of_several = moderated_text(lending.laws, titles) if networks - alone else ""
    return measured, " ".join(part for part in (of_one, of_several) if part)


def _picture(table: Table, times: Mapping[str, RowTime], path: Path) -> str:
    """Draw a table, and return the part of its page that shows the picture."""
    points = [
        PicturePoint(
            label=label,
            time=times.get(label),
            distance=cells["fad_mini"],
            timing=cells["event_f1_25ms"],
            meaning=cells["class_accuracy"],
            control=label in table.controls,
        )
        for label, cells in {**table.cells, **table.controls}.items()
    ]
    draw_picture(points, path)
    return f"## Quality, speed, timing and meaning\n\n![Quality against speed, timing against semantics]({path.name})"


def _rows_of_runs(setup: Setup) -> set[str]:
    """Return the names of the rows of all tables that are made by a run of the plan, oracles among them."""
    rows = [row for grid in GRIDS.values() for row in (*grid.rows, *grid.ladder) if row.variant]
    return {row_name(setup, row, seed) for row in rows for seed in range(setup.seeds)}


def _controls(setup: Setup, results: Mapping[str, ResultEntry]) -> tuple[dict[str, Measured], list[str]]:
    """Return the control rows by title, and what is missing: those that were scored on other clips than the rows."""
    other = _rows_of_runs(setup)
    found = {
        name: entry
        for name, entry in results.items()
        if entry.result["model"]["kind"] in ("control", "oracle") and name not in other
    }
    shown = [entry for entry in found.values() if is_on_all_clips(setup, entry)]
    left_out = [
        f"{name} on the rows' clips ({entry.n_asked} clips were scored)"
        for name, entry in found.items()
        if not is_on_all_clips(setup, entry)
    ]
    return {str(entry.result["model"]["title"]): Measured([entry]) for entry in shown}, left_out


def _seeds_of_blocks(
    setup: Setup, grid: Grid, compared: Mapping[str, Sequence[str]], results: Mapping[str, ResultEntry]
) -> dict[str, list[int]]:
    """Return block -> the seeds that all of its compared rows have; nothing while a block has none."""
    blocks: dict[str, dict[str, Sequence[str]]] = {}
    for row in grid.rows:
        if row.label in compared:
            blocks.setdefault(row.block, {})[row.label] = compared[row.label]
    found = {block: _whole_seeds(rows, results, setup.seeds) for block, rows in blocks.items()}
    return found if all(found.values()) else {}


def _whole_seeds(wanted: Mapping[str, Sequence[str]], results: Mapping[str, ResultEntry], n_seeds: int) -> list[int]:
    """Return the seeds for which all of some rows have their result: rows are compared seed by seed."""
    return [seed for seed in range(n_seeds) if all(names[seed] in results for names in wanted.values())]


def _fullest_seed(
    wanted: Mapping[str, Sequence[str]], results: Mapping[str, ResultEntry], n_seeds: int
) -> tuple[list[int], list[str]]:
    """Return the seed that most rows have a result of, and the labels of the rows that have none of it."""
    absent = [[label for label, names in wanted.items() if names[seed] not in results] for seed in range(n_seeds)]
    best = min(range(n_seeds), key=lambda seed: len(absent[seed]))
    return [best], absent[best]


def _require_none(
    setup: Setup,
    name: str,
    wanted: Mapping[str, Sequence[str]],
    results: Mapping[str, ResultEntry],
    missing: Sequence[str],
) -> None:
    """Refuse a table of which hardly anything is measured, or that was made with another number of steps."""
    if any(one in results for names in wanted.values() for one in names):
        raise FoleyError(
            f"{name} has no seed with at least {_FEWEST_ROWS} rows in {setup.results}; missing: {', '.join(missing)}."
        )
    variants = {str(row.variant.name) for row in GRIDS[name].rows if row.variant}
    pattern = re.compile(rf"(?:{'|'.join(map(re.escape, sorted(variants)))})-{re.escape(setup.size)}-steps([0-9]+)-.*")
    lengths = sorted({int(found[1]) for found in map(pattern.fullmatch, results) if found})
    if lengths:
        there = " or ".join(f"--steps {length}" for length in lengths)
        raise FoleyError(f"{name}: the results in {setup.results} were made with {there}; give the same option.")


def _words(setup: Setup, measured: Mapping[str, Measured], seeds: Mapping[str, Sequence[int]]) -> str:
    if not measured:
        return f"Size {setup.size}: nothing was measured yet."
    first = next(iter(measured.values())).entries[0].result
    data = first["dataset"]
    numbers = {evaluations_made(entry.result) for row in measured.values() for entry in row.entries}
    evaluations = f"{numbers.pop()} network evaluations, " if len(numbers) == 1 else ""
    clips = f"the first {setup.clips} of {data['n_clips']}" if setup.clips else data["n_clips"]
    length = f", {setup.steps} flow steps" if setup.steps else ""
    evaluators = evaluators_text(entry for row in measured.values() for entry in row.entries)
    number = seeds_phrase({block: len(found) for block, found in seeds.items()}, setup.seeds)
    return (
        f"Size {setup.size}{length}, {number}, "
        f"{evaluations}{data['name']} {data['split']} split, {clips} clips, "
        f"manifest `{data['manifest_sha256'][:12]}`. Result files: `{setup.results.name}/`. {evaluators}"
    ).rstrip()
