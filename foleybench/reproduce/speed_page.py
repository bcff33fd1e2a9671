"""Write the page of speed and quality by network evaluations.

All rows of a seed sample one trained network, or a head that was fine-tuned from it, so its luck cancels where two rows
are compared. Times are those of the first seed: they do not depend on the weights, and a grid of seeds is seldom run on
a quiet machine.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from foleybench.artefacts.entries import ResultEntry
from foleybench.errors import ResultError
from foleybench.files import write_atomically
from foleybench.reproduce.cells import evaluators_text, gap_text, markdown_table, value_text
from foleybench.reproduce.made_by import command_text
from foleybench.reproduce.measure import Difference, Measured, SeedsCell, cell, holm_corrected, row_difference
from foleybench.reproduce.plan import Setup
from foleybench.reproduce.same_networks import law_within_networks
from foleybench.reproduce.shown_seeds import fullest_seeds, shown_phrase
from foleybench.reproduce.speed import NFES, speed_names
from foleybench.stats.moderated import CommonLaw

# Name -> heading, title of its picture, decimals.
METRICS = {
    "event_f1_25ms": ("Event F1 (25 ms) ↑", "Event F1 at 25 ms", 3),
    "class_accuracy": ("Class accuracy ↑", "Class accuracy", 3),
    "align_acc_mini": ("Align Acc (mini) (%) ↑", "Align Acc (mini), %", 1),
    "kld_mini": ("KLD (mini) (nat) ↓", "KLD (mini), nat", 2),
    "fad_mini": ("FAD (mini) ↓", "FAD (mini)", 1),
}


_SEEDS = "the variance between seeds as in the tables: `foleybench/reproduce/measure.py`"
_HEADS = "A head is fine-tuned from the same network to need one evaluation. "
# Network evaluations, and the head; empty for the flow itself.
_Key = tuple[int, str]


class SpeedRow(NamedTuple):
    """One row of the page.

    Attributes:
        nfe: Network evaluations.
        head: Name of the fine-tuned head; empty for the flow itself.
        entries: The result of each seed.
        cells: Metric -> value with its interval over clips and seeds.
        against: Metric -> difference from the most evaluations, its p-value Holm-corrected over the rows.
    """

    nfe: int
    head: str
    entries: Sequence[ResultEntry]
    cells: Mapping[str, SeedsCell]
    against: Mapping[str, Difference]

    @property
    def title(self) -> str:
        """What is evaluated, as the page names it."""
        return f"{self.nfe} (head `{self.head}`)" if self.head else str(self.nfe)

    @property
    def speed(self) -> Mapping[str, float]:
        """Seconds a clip and real-time factor, one clip at a time, of the first seed."""
        timed: Mapping[str, float] = self.entries[0].result["run"]["generation"]["speed"]["batch_1"]
        return timed


def write_speed(
    setup: Setup, results: Mapping[str, ResultEntry], laws: Mapping[str, CommonLaw], out: Path
) -> list[str]:
    """Write the page, its numbers and its picture; return the names of the results that are missing.

    Args:
        setup: Folders and sizes.
        results: Results by name.
        laws: Metric -> law of the variance between seeds of trained networks.
        out: Folder of the page.

    Raises:
        ResultError: Rows of one seed and the flow itself sample different networks.
    """
    of_seeds = [speed_names(setup, seed) for seed in range(setup.seeds)]
    names = {key: [of_seed[key] for of_seed in of_seeds] for key in of_seeds[0]}
    shown = fullest_seeds(names.values(), results, setup.seeds)
    wanted = {key: [row[seed] for seed in shown] for key, row in names.items()}
    found = {key: [results[one] for one in row] for key, row in wanted.items() if all(one in results for one in row)}
    if shown and found:
        _require_one_network(found)
        rows = _rows(found, laws)
        write_atomically(out / "speed.csv", _csv(rows).encode())
        write_atomically(out / "speed.md", _markdown(rows, setup, shown).encode())
        _draw(rows, out / "speed.png")
    return [name for row in names.values() for name in row if name not in results]


def _require_one_network(found: Mapping[_Key, Sequence[ResultEntry]]) -> None:
    """Refuse rows of the flow that sample two networks of one seed: their difference would be of two trainings."""
    flows = [entries for (_, head), entries in found.items() if not head]
    for entries in zip(*flows, strict=True):
        if len({entry.weights for entry in entries} - {None}) > 1:
            raise ResultError(
                f"rows of the page of speed sample different networks: {', '.join(one.row_name for one in entries)}. "
                "Delete their results, and make them again from one run."
            )


def _rows(found: Mapping[_Key, Sequence[ResultEntry]], laws: Mapping[str, CommonLaw]) -> list[SpeedRow]:
    measured = {key: Measured(entries, laws=laws) for key, entries in found.items()}
    gaps = {name: _differences(name, measured) for name in METRICS}
    return [
        SpeedRow(
            *key,
            found[key],
            {name: cell(name, row) for name in METRICS},
            {name: gaps[name][key] for name in METRICS if key in gaps[name]},
        )
        for key, row in measured.items()
    ]


def _most(keys: Iterable[_Key]) -> _Key:
    """Return the flow's row with the most evaluations; that of none where there is no flow."""
    return max((key for key in keys if not key[1]), default=(0, ""))


def _differences(name: str, measured: Mapping[_Key, Measured]) -> dict[_Key, Difference]:
    """Return each row less the flow's with the most evaluations, where there is one."""
    most = _most(measured)
    if most not in measured:
        return {}
    others = {key: row for key, row in measured.items() if key != most}
    within = law_within_networks(name, list(others.values()), measured[most])
    return holm_corrected(
        {key: row_difference(name, row, measured[most], within=within) for key, row in others.items()}
    )


def _csv(rows: Sequence[SpeedRow]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["nfe", "head", "metric", "value", "low", "high", "less_most", "p_value"])
    for row in rows:
        for name in ("seconds_per_clip", "real_time_factor"):
            writer.writerow([row.nfe, row.head, name, row.speed[name], "", "", "", ""])
        for name, value in row.cells.items():
            gap = row.against.get(name)
            tested = ("", "") if gap is None else (gap.difference, "" if gap.p_value is None else gap.p_value)
            writer.writerow([row.nfe, row.head, name, value.value, value.low, value.high, *tested])
    return buffer.getvalue()


def _markdown(rows: Sequence[SpeedRow], setup: Setup, shown: Sequence[int]) -> str:
    result, n_seeds = rows[0].entries[0].result, len(shown)
    run, data = result["run"], result["dataset"]
    table = [["Evaluations", "Seconds per clip", "Real-time factor", *(heading for heading, _, _ in METRICS.values())]]
    for row in rows:
        values = [value_text(row.cells[name], digits) for name, (_, _, digits) in METRICS.items()]
        times = [f"{row.speed[name]:.4f}" for name in ("seconds_per_clip", "real_time_factor")]
        table.append([row.title, *times, *values])
    devices = ", ".join(sorted({str(row.entries[0].result["run"]["device"]) for row in rows}))
    command = command_text(dataclasses.replace(setup, nfe=None), ["speed"])
    number = shown_phrase(shown, setup.seeds)
    and_seeds = f" and seeds ({_SEEDS})" if n_seeds > 1 else ""
    clips = f"the first {setup.clips} of {data['n_clips']}" if setup.clips else str(data["n_clips"])
    parts = [
        "<!-- Written by `foleybench reproduce speed`. Do not edit: run it again. -->",
        "# Generation speed and quality",
        f"Made by `{command}`. Device {devices}, {run['generation']['threads']} thread(s), "
        "one clip at a time after a warm-up. Timed: video features, network, vocoder; not decoding and writing"
        f"{f'; of seed {shown[0]}' if n_seeds > 1 else ''}. {number}, {data['name']} {data['split']} split, {clips} "
        f"clips, manifest `{data['manifest_sha256'][:12]}`; 95 % intervals over clips{and_seeds}. "
        f"{_HEADS if any(row.head for row in rows) else ''}"
        f"{evaluators_text(entry for row in rows for entry in row.entries)}",
        markdown_table(table),
        *_against_text(rows),
        "![Speed and quality](speed.png)",
    ]
    return "\n\n".join(parts) + "\n"


def _against_text(rows: Sequence[SpeedRow]) -> list[str]:
    """Return the part on differences from the most evaluations; nothing where no row has one."""
    most = _most((row.nfe, row.head) for row in rows)[0]
    table = [[f"Less {most} evaluations", *(heading for heading, _, _ in METRICS.values())]]
    table += [
        [row.title, *(gap_text(row.against[name], digits) for name, (_, _, digits) in METRICS.items())]
        for row in rows
        if row.against
    ]
    if len(table) == 1:
        return []
    return [
        f"## Against {most} evaluations",
        f"Difference, and p of a paired test, Holm-corrected over the rows of each column. {_tested(rows)} **Bold**: "
        "below 0.05.",
        markdown_table(table),
    ]


def _tested(rows: Sequence[SpeedRow]) -> str:
    """Return what the differences are tested over."""
    if len(rows[0].entries) == 1:
        return (
            "Over clips: all rows sample one network or heads fine-tuned from it, and another training is not tested."
        )
    absent = [heading for name, (heading, _, _) in METRICS.items() if not _has_law(name, rows)]
    not_told = f"; not in {', '.join(absent)}, where too few rows have a value" if absent else ""
    return (
        "Over clips and seeds: all rows of a seed sample one network or heads fine-tuned from it, so its luck cancels; "
        "the variance of what does not, between the seeds of two rows, is drawn towards that of all rows "
        "(`foleybench/reproduce/same_networks.py`; how often that errs: `benchmarks/results/seed_errors.md`)"
        f"{not_told}."
    )


def _has_law(name: str, rows: Sequence[SpeedRow]) -> bool:
    return any(row.against[name].law_freedom for row in rows if name in row.against)


def _draw(rows: Sequence[SpeedRow], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    flow = [row for row in rows if not row.head]
    parts = [*([(flow, "o-")] if flow else []), *(([row], "s") for row in rows if row.head)]
    figure, axes = plt.subplots(2, 3, figsize=(11, 6), layout="constrained")
    for axis, name in zip(axes.flat, ("", *METRICS), strict=True):
        for part, style in parts:
            axis.errorbar(*_points(part, name), fmt=style, capsize=3, label=_label(part))
        title = METRICS[name][1] if name else "Real-time factor (lower is faster)"
        axis.set(title=title, xlabel="network evaluations", xscale="log")
        axis.set_xticks(NFES, [str(value) for value in NFES])
        axis.minorticks_off()
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    if any(row.head for row in rows):
        axes.flat[0].legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp.png")
    figure.savefig(temporary, dpi=110, metadata={"Software": ""})
    plt.close(figure)
    temporary.replace(path)


def _label(rows: Sequence[SpeedRow]) -> str:
    return f"head {rows[0].head}" if rows[0].head else "flow"


def _points(rows: Sequence[SpeedRow], name: str) -> tuple[list[int], list[float], list[list[float]]]:
    """Return places, values, and the lengths of the error bars below and above; of the speed without a name."""
    places = [row.nfe for row in rows]
    if not name:
        return places, [row.speed["real_time_factor"] for row in rows], [[0.0] * len(rows)] * 2
    cells = [row.cells[name] for row in rows]
    below = [0.0 if one.low is None else one.value - one.low for one in cells]
    above = [0.0 if one.high is None else one.high - one.value for one in cells]
    return places, [one.value for one in cells], [below, above]
