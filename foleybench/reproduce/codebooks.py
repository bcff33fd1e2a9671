"""Keep and show how the codecs' codebooks are used.

The training of a codec measures it at its end on clips of the validation split. Run folders are not committed; the file
beside the table is, with the hash of the weights, so that a codec that was trained again is not taken for the row's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from foleybench.artefacts.entries import ResultEntry
from foleybench.generation.folder import checkpoint_sha256
from foleybench.reproduce.cells import markdown_table
from foleybench.reproduce.kept import kept_beside
from foleybench.reproduce.plan import Setup, row_name, training_name
from foleybench.reproduce.rows import Grid, GridRow

# Kind of a codec -> the setting that is the size of each of its codebooks.
_SIZES = {"residual_codec": "codebook_size", "patch_codec": "patch_codes", "two_rate_codec": "rate_codes"}
_WORDS = (
    "Perplexity: exponential of the entropy of a codebook's codes, from 1 (a single code) to its size. Used: share of "
    "its codes that occur. Both of the codes of clips of the validation split, measured by the codec's training at its "
    "end, level by level in the order in which the levels are written; mean over the seeds."
)


class CodebookUse(NamedTuple):
    """How one codebook is used.

    Attributes:
        row: Label of the codec's row.
        seed: Training seed.
        part: Name of the part of the run.
        level: Number of the codebook, from 0.
        codes: Its size.
        perplexity: Exponential of the entropy of its codes, from 1 to ``codes``.
        used: Share of its codes that occur, in [0, 1].
        weights: SHA-256 of the codec's weights.
    """

    row: str
    seed: int
    part: str
    level: int
    codes: int
    perplexity: float
    used: float
    weights: str


def codebook_uses(setup: Setup, grid: Grid, results: Mapping[str, ResultEntry], path: Path) -> list[CodebookUse]:
    """Return how a table's codecs use their codebooks; of runs that are not at hand, what the file keeps.

    A run at hand with other weights than the row's does not displace what the file has of the row's own.

    Args:
        setup: Where runs lie.
        grid: The table, whose ladder has the codecs.
        results: The table's results.
        path: The file, CSV; written when some run is there.
    """
    own = _own_weights(setup, grid, results)
    kept = {(one.row, one.seed) for one in _kept(path, grid, []) if own.get((one.row, one.seed)) == one.weights}
    found = [
        one
        for row in grid.ladder
        for seed in range(setup.seeds)
        for one in _measured(setup, row, seed)
        if own.get((row.label, seed)) == one.weights or (row.label, seed) not in kept
    ]
    return _kept(path, grid, found)


def _kept(path: Path, grid: Grid, found: Sequence[CodebookUse]) -> list[CodebookUse]:
    return kept_beside(path, grid, found, _read, lambda one: one._asdict())


def _read(line: Mapping[str, str]) -> CodebookUse:
    numbers = int(line["level"]), int(line["codes"]), float(line["perplexity"]), float(line["used"])
    return CodebookUse(line["row"], int(line["seed"]), line["part"], *numbers, line["weights"])


def _own_weights(setup: Setup, grid: Grid, results: Mapping[str, ResultEntry]) -> dict[tuple[str, int], str]:
    """Return label and seed -> weights of the codec that the row's result is of, where the result says so."""
    names = {(row.label, seed): row_name(setup, row, seed) for row in grid.ladder for seed in range(setup.seeds)}
    found = {key: results[name].weights for key, name in names.items() if name in results}
    return {key: weights for key, weights in found.items() if weights}


def _measured(setup: Setup, row: GridRow, seed: int) -> list[CodebookUse]:
    """Return what a codec's training measured of each codebook; empty where the run is not at hand."""
    assert row.variant is not None
    run = setup.work / "runs" / training_name(setup, row.variant, seed)
    record, config = run / "metrics.json", run / row.control / "config.json"
    if not record.is_file() or not config.is_file():
        return []
    facts = json.loads(record.read_text(encoding="utf-8")).get(row.control, {})
    told = json.loads(config.read_text(encoding="utf-8"))
    codes = int(told["settings"]["codec"][_SIZES[told["kind"]]])
    weights = checkpoint_sha256(run / row.control) or ""
    levels = enumerate(zip(facts.get("perplexity", []), facts.get("used", []), strict=True))
    return [
        CodebookUse(row.label, seed, row.control, level, codes, perplexity, used, weights)
        for level, (perplexity, used) in levels
    ]


def codebooks_text(
    setup: Setup, grid: Grid, uses: Sequence[CodebookUse], results: Mapping[str, ResultEntry], file_name: str
) -> str:
    """Return the part of a page on codebooks, a line a codec; empty for none.

    Args:
        setup: Decides the names of the rows.
        grid: The table.
        uses: How its codecs use their codebooks.
        results: The table's results: codecs of other weights are named.
        file_name: Name of the file of ``uses``.
    """
    if not uses:
        return ""
    own = _own_weights(setup, grid, results)
    lines = [["Codec", "Codes", "Perplexity by level", "Used by level (%)", "Seeds"]]
    again: list[str] = []
    for label in dict.fromkeys(one.row for one in uses):
        of_row = [one for one in uses if one.row == label]
        lines.append([label, *_line(of_row)])
        other = sorted({one.seed for one in of_row if own.get((label, one.seed), one.weights) != one.weights})
        again += [f"{label}, seed {seed}" for seed in other]
    told = f" Trained again by the same command, with other weights than the codec of the row: {'; '.join(again)}."
    words = f"{_WORDS}{told if again else ''} Each codebook: `{file_name}`."
    return f"## How the codebooks are used\n\n{markdown_table(lines)}\n\n{words}"


def _line(uses: Sequence[CodebookUse]) -> list[str]:
    levels = [[one for one in uses if one.level == level] for level in sorted({one.level for one in uses})]
    perplexities = [f"{_mean([one.perplexity for one in level]):.0f}" for level in levels]
    used = [f"{100 * _mean([one.used for one in level]):.0f}" for level in levels]
    seeds = ", ".join(str(seed) for seed in sorted({one.seed for one in uses}))
    return [f"{len(levels)} x {uses[0].codes}", ", ".join(perplexities), ", ".join(used), seeds]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
