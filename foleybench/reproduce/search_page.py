"""Write the page of a search of settings, and its numbers."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from foleybench.artefacts.entries import ResultEntry
from foleybench.files import write_atomically
from foleybench.reproduce.cells import (
    column_decimals,
    direction_of,
    evaluator_versions,
    markdown_table,
    metric_heading,
    value_text,
)
from foleybench.reproduce.made_by import command_text
from foleybench.reproduce.measure import Difference, read_results
from foleybench.reproduce.plan import Setup
from foleybench.reproduce.power import smallest_found
from foleybench.reproduce.search import DEFAULT, SearchTry, search_folder, tries, try_name
from foleybench.reproduce.search_measure import (
    METRICS,
    OPEN,
    SystemTries,
    is_tables_run,
    measure_system,
    setup_of_table,
    try_in_table,
    variances_of_runs,
)

_RULE = (
    "Rule: the tries of a system are ranked in every column, and the one with the best mean rank is its best try. "
    "Table 1 keeps the default unless a try is significantly better than it in one column or more and significantly "
    "worse in none (paired over clips, Holm over all tries and columns of the system, 5 %); of several such tries the "
    "one with the best mean rank is taken. A try of a rate is another training: its tests know the variance between "
    "seeds of the system's rows in Table 1, drawn towards what all trained networks have in common (Smyth 2004) and "
    "taken twice. A try of the guidance samples the same network, and its tests "
    "know the clips."
)
_LIMITS = (
    "What this search does not make equal: Foley-Flow's defaults were found on this split while it was developed, and "
    "the cores took its rate; a default that stays unless a try is clearly better keeps that advantage. So the last "
    "table shows each system at its best try in every column, chosen with the luck of several tries. Not searched: the "
    "alignment stage and the codecs, which systems share; knobs of one paradigm alone: FoleyGen's `visual_mask`, which "
    "decides its timing (`visual_mask.md`; Table 1 has `all`), V2A-Mapper's `mapper` (a prior or a regression), "
    "SpecVQGAN's `n_features` (`condition_rate.md`), `mask_noise` (4.5 in MaskVAT and VAB, 25.5 in VATT), Seeing & "
    "Hearing's gradient steps, Diff-Foley's second guidance, temperatures and numbers of evaluations. Seeing & "
    "Hearing's rate is that of its aligner, for its flow is V2A-Mapper's; V2A-Mapper's two rates move together; "
    "SpecVQGAN is never trained without the video and has no guidance."
)


class Searches(NamedTuple):
    """All systems with at least two measured tries.

    Attributes:
        systems: The systems.
        unmeasured: Labels of the others.
        same_run: Label of a system -> whether its default has the weights of Table 1's row; None where not known.
        unlent: Labels of the systems without rows of several seeds.
        first: Any result of the search.
        table: Any result of the paper's tables, or None.
    """

    systems: Sequence[SystemTries]
    unmeasured: Sequence[str]
    same_run: Mapping[str, bool | None]
    unlent: Sequence[str]
    first: ResultEntry
    table: ResultEntry | None


def write_search(setup: Setup, out: Path) -> list[str]:
    """Write the page and its numbers from the results there are; return the names of the missing results."""
    folder = search_folder(setup)
    results = read_results(folder) if folder.is_dir() else {}
    every = tries()
    names = {label: {one.label: try_name(setup, one) for one in found} for label, found in every.items()}
    missing = [name for wanted in names.values() for name in wanted.values() if name not in results]
    there = {
        label: {one: results[name] for one, name in wanted.items() if name in results}
        for label, wanted in names.items()
    }
    whole = {label: entries for label, entries in there.items() if DEFAULT in entries and len(entries) > 1}
    if whole:
        found = _measured(setup, every, whole)
        # Neither more seeds nor --nfe change the search.
        command = command_text(dataclasses.replace(setup, seeds=1, nfe=None), ["search"])
        write_atomically(out / "search.md", _page(found, command).encode())
        write_atomically(out / "search.csv", _numbers(found.systems).encode())
    return missing


def _measured(
    setup: Setup, every: Mapping[str, Sequence[SearchTry]], whole: Mapping[str, Mapping[str, ResultEntry]]
) -> Searches:
    tables = read_results(setup.results) if setup.results.is_dir() else {}
    defaults = {label: every[label][0] for label in whole}
    setups = {label: setup_of_table(setup, tables, default) for label, default in defaults.items()}
    lent = variances_of_runs(setups, tables, defaults)
    systems, same = [], {}
    for label, entries in whole.items():
        in_table = try_in_table(setups[label], tables, every[label])
        systems.append(measure_system(label, every[label], entries, lent.get(label), in_table))
        same[label] = is_tables_run(setups[label], tables, defaults[label], entries[DEFAULT])
    unlent = [label for label in whole if label not in lent]
    first = next(iter(next(iter(whole.values())).values()))
    others = [label for label in every if label not in whole]
    return Searches(systems, others, same, unlent, first, next(iter(tables.values()), None))


def _page(found: Searches, command: str) -> str:
    data = found.first.result["dataset"]
    rows = [
        ["System", "Tries", "Best mean rank", "Taken for Table 1", "Better than the default in", "Not measured yet"]
    ]
    for one in found.systems:
        better = [f"{label}: {_titles(names)}" for label in one.cells if (names := one.against(label, "better"))]
        rows.append(
            [
                one.label,
                str(len(one.cells)),
                one.best,
                one.taken,
                "; ".join(better) or "none",
                ", ".join(one.absent) or "-",
            ]
        )
    taken = [one for one in found.systems if one.taken != OPEN]
    ranked = [f"{one.label} ({one.taken})" for one in taken if one.taken == one.in_table != DEFAULT]
    changed = [f"{one.label} ({one.taken})" for one in taken if one.taken != one.in_table]
    parts = [
        "<!-- Written by `foleybench reproduce search`. Do not edit: run it again. -->",
        "# Search of settings on the validation split",
        f"Made by `{command}`. Seed 0, {data['name']} {data['split']} split, {data['n_scored']} clips, manifest "
        f"`{data['manifest_sha256'][:12]}`. Result files: `search_results/`. Each system gets the same tries: the "
        "learning rate of what it trains for itself, halved and doubled; its guidance, halved and doubled, where it "
        f"has one. All else is as in Table 1, whose guidance can be one that was taken here. {_evaluators(found)}",
        _RULE + _unlent_text(found.unlent),
        _LIMITS,
        markdown_table(rows),
        f"Table 1 ranks {', '.join(ranked)}, and shows the default unranked beside it." if ranked else "",
        f"Table 1 does not rank yet what is taken: {', '.join(changed)}." if changed else "",
        f"Not measured yet: {', '.join(found.unmeasured)}." if found.unmeasured else "",
        _runs_text(found.same_run),
        _power(found.systems),
        *(_part(one) for one in found.systems),
        _best_cases(found.systems),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _titles(names: Sequence[str]) -> str:
    return ", ".join(map(metric_heading, names))


def _evaluators(found: Searches) -> str:
    """Return the versions of the evaluators, and where Table 1's are others."""
    own = evaluator_versions(found.first)
    text = f"Evaluators: {', '.join(f'{name} {version}' for name, version in own.items())}"
    before = evaluator_versions(found.table) if found.table else own
    other = [f"{name} {version}" for name, version in before.items() if own.get(name) != version]
    return f"{text} (Table 1: {', '.join(other)})." if other else f"{text}."


def _unlent_text(labels: Sequence[str]) -> str:
    if not labels:
        return ""
    return f" No rows with several seeds are there for {', '.join(labels)}: all of their tests know the clips alone."


def _runs_text(same: Mapping[str, bool | None]) -> str:
    own, other = ([label for label, told in same.items() if told == wanted] for wanted in (True, False))
    texts = [f"The default is Table 1's own network of seed 0 for {', '.join(own)}."] if own else []
    if other:
        texts.append(
            f"For {', '.join(other)} it was trained again with the same settings and has other weights (another "
            "machine, or numbers of threads that round otherwise)."
        )
    return " ".join(texts)


def _power(systems: Sequence[SystemTries]) -> str:
    """Return which differences these tests can find, for both kinds of tries."""
    texts = []
    for kind, wanted in (("rate", False), ("guidance", True)):
        sizes: dict[str, list[float]] = {name: [] for name in METRICS}
        for name, gap in _gaps_of(systems, guidance=wanted):
            if (size := smallest_found(gap)) is not None:
                sizes[name].append(size)
        told = [f"{metric_heading(name)} {statistics.median(found):.2g}" for name, found in sizes.items() if found]
        if told:
            texts.append(f"of the {kind}: {'; '.join(told)}")
    if not texts:
        return ""
    return (
        "What can be found: a true difference of this size is significant with 80 % power, before the correction, in "
        f"the median try {'. In that '.join(texts)}."
    )


def _gaps_of(systems: Sequence[SystemTries], *, guidance: bool) -> list[tuple[str, Difference]]:
    return [
        (name, gap)
        for one in systems
        for name, pairs in one.gaps.items()
        for (label, _), gap in pairs.items()
        if (label in one.guided) == guidance
    ]


def _part(one: SystemTries) -> str:
    digits = {name: column_decimals([cells[name] for cells in one.cells.values()]) for name in METRICS}
    rows = [["Try", "Settings", *map(metric_heading, METRICS), "Mean rank", "Worse than the default in"]]
    for label, cells in one.cells.items():
        better = one.against(label, "better")
        texts = [value_text(cells[name], digits[name], bold=name in better) for name in METRICS]
        worse = _titles(one.against(label, "worse")) or "-"
        rows.append([label, one.told.get(label, ""), *texts, f"{one.ranks[label]:.1f}", worse])
    words = "**Bold**: significantly better than the default."
    return f"## {one.label}\n\n{markdown_table(rows)}\n\n{words}"


def _best_cases(systems: Sequence[SystemTries]) -> str:
    """Return each system's default and its best try, column by column."""
    rows = [["System", *map(metric_heading, METRICS)]]
    for one in systems:
        texts = []
        for name in METRICS:
            digits = column_decimals([cells[name] for cells in one.cells.values()])
            values = {label: cells[name].value for label, cells in one.cells.items()}
            values = {label: value for label, value in values.items() if math.isfinite(value)}
            if not values:
                texts.append("*undefined*")
                continue
            best = max(values, key=lambda label: values[label] if direction_of(name) == "higher" else -values[label])
            before = value_text(one.cells[DEFAULT][name]._replace(low=None, high=None), digits)
            after = value_text(one.cells[best][name]._replace(low=None, high=None), digits)
            texts.append(before if best == DEFAULT else f"{before} → {after} ({best})")
        rows.append([one.label, *texts])
    words = (
        "Default → best try of the column, where that is another; without intervals, for the best of several tries "
        "looks better than it is."
    )
    return f"## Every system at its best\n\n{markdown_table(rows)}\n\n{words}"


def _numbers(systems: Sequence[SystemTries]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(
        ["system", "try", "settings", "metric", "value", "low", "high", "less_default", "p_value", "outcome", "taken"]
    )
    for one in systems:
        for label, cells in one.cells.items():
            for name, value in cells.items():
                gap = one.gaps[name].get((label, DEFAULT))
                p_value = "" if gap is None or gap.p_value is None else repr(gap.p_value)
                less = "" if gap is None else repr(gap.difference)
                tested = (less, p_value, "" if gap is None else one.outcomes[name][label, DEFAULT])
                taken = "yes" if label == one.taken else ""
                settings = one.told.get(label, "")
                writer.writerow([one.label, label, settings, name, value.value, value.low, value.high, *tested, taken])
    return buffer.getvalue()
