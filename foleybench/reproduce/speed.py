"""Plan the measurement of speed against network evaluations."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from foleybench.reproduce.cores import FULL
from foleybench.reproduce.plan import Setup, learn, row_name, scoring, table_steps, training_name
from foleybench.reproduce.rows import MODEL, Grid, GridRow
from foleybench.runtime.command_plan import Step

NFES = (1, 2, 4, 8, 25)
# Heads fine-tuned from the same flow to need one evaluation.
HEADS = ("imf", "reflow")
_ROW = GridRow(label="Foley-Flow", variant=FULL)


def result_name(setup: Setup, nfe: int) -> str:
    """Return the name of the result of one number of evaluations."""
    return f"speed-{row_name(setup, _ROW, 0)}-evaluations{nfe}"


def head_name(setup: Setup, head: str) -> str:
    """Return the name of the result of a 1-step head."""
    return f"speed-{row_name(setup, _ROW, 0)}-head-{head}"


def speed_steps(setup: Setup) -> list[Step]:
    """Return the steps: one training run (shared with the tables), the heads, and one score a row of the figure.

    The scores come one after the other, so that none of them is timed while another computes; for figures to quote,
    run this alone on the machine, with one job.
    """
    alone = dataclasses.replace(setup, seeds=1, nfe=None)
    trained = training_name(setup, FULL, 0)
    folder = setup.work / "runs" / trained
    grid = Grid(number="", title="", rows=(_ROW,), reading="")
    found = [step for step in table_steps(alone, [grid]) if not step.name.startswith("eval-")]
    before = trained
    rows: list[tuple[str, Path, tuple[str, ...]]]
    rows = [(result_name(setup, nfe), folder, ("--nfe", str(nfe))) for nfe in NFES]
    for head in HEADS:
        name = f"{trained}-{head}"
        out = folder.with_name(name)
        words = ("train", MODEL, *learn(setup, 0, {"flow": str(folder), "head": head}), "--out", str(out))
        found.append(Step(name, words, (before,)))
        rows.append((head_name(setup, head), out, ()))
        before = name
    for name, checkpoint, evaluations in rows:
        words = ("eval", "--model", MODEL, "--checkpoint", str(checkpoint), "--name", name)
        found.append(Step(f"eval-{name}", (*words, *evaluations, *scoring(setup)), (before,)))
        before = f"eval-{name}"
    return found
