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


def result_name(setup: Setup, nfe: int, seed: int) -> str:
    """Return the name of the result of one number of evaluations."""
    return f"speed-{row_name(setup, _ROW, seed)}-evaluations{nfe}"


def head_name(setup: Setup, head: str, seed: int) -> str:
    """Return the name of the result of a 1-step head."""
    return f"speed-{row_name(setup, _ROW, seed)}-head-{head}"


def speed_steps(setup: Setup) -> list[Step]:
    """Return the steps: a training run a seed (shared with the tables), its heads, and one score a row of the figure.

    The scores come one after the other, so that none of them is timed while another is; for figures to quote, run this
    alone on the machine, with one job.
    """
    found = _training_steps(setup)
    last: tuple[str, ...] = ()
    for seed in range(setup.seeds):
        for step in _steps_of_seed(setup, seed):
            is_score = step.words[0] == "eval"
            found.append(dataclasses.replace(step, after=(*step.after, *last)) if is_score else step)
            last = (step.name,) if is_score else last
    return found


def _training_steps(setup: Setup) -> list[Step]:
    grid = Grid(number="", title="", rows=(_ROW,), reading="")
    steps = table_steps(dataclasses.replace(setup, nfe=None), [grid])
    return [step for step in steps if not step.name.startswith("eval-")]


def _steps_of_seed(setup: Setup, seed: int) -> list[Step]:
    """Return the heads of one training, and all scores of it."""
    trained = training_name(setup, FULL, seed)
    folder = setup.work / "runs" / trained
    heads = {head: folder.with_name(f"{trained}-{head}") for head in HEADS}
    found = []
    for head, out in heads.items():
        words = ("train", MODEL, *learn(setup, seed, {"flow": str(folder), "head": head}), "--out", str(out))
        found.append(Step(out.name, words, (trained,)))
    for nfe in NFES:
        found.append(_score(setup, seed, folder, result_name(setup, nfe, seed), ("--nfe", str(nfe))))
    for head, out in heads.items():
        found.append(_score(setup, seed, out, head_name(setup, head, seed)))
    return found


def _score(setup: Setup, seed: int, run: Path, name: str, evaluations: tuple[str, ...] = ()) -> Step:
    words = ("eval", "--model", MODEL, "--checkpoint", str(run), "--name", name, "--seed", str(seed))
    return Step(f"eval-{name}", (*words, *evaluations, *scoring(setup)), (run.name,))
