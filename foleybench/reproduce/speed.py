"""Plan the measurement of speed against network evaluations."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from foleybench.artefacts.entries import ResultEntry
from foleybench.generation.folder import checkpoint_sha256
from foleybench.reproduce.cores import FULL
from foleybench.reproduce.plan import Setup, learn, row_name, scoring, table_steps, training_name
from foleybench.reproduce.rows import MODEL, Grid, GridRow
from foleybench.runtime.command_plan import Step

NFES = (1, 2, 4, 8, 25)
# Heads fine-tuned from the same flow to need one evaluation.
HEADS = ("imf", "reflow")
_ROW = GridRow(label="Foley-Flow", variant=FULL)


def speed_names(setup: Setup, seed: int) -> dict[tuple[int, str], str]:
    """Return the rows of a seed: network evaluations, and the head or "" for the flow itself -> name of the result."""
    start = f"speed-{row_name(setup, _ROW, seed)}"
    found = {(nfe, ""): f"{start}-evaluations{nfe}" for nfe in NFES}
    return {**found, **{(1, head): f"{start}-head-{head}" for head in HEADS}}


def speed_steps(setup: Setup) -> list[Step]:
    """Return the steps: a training run a seed (shared with the tables), its heads, and one score a row of the figure.

    The scores come after these trainings and one after the other, so that none of them is timed while another computes;
    for figures to quote, ask for nothing else beside and keep the machine quiet.
    """
    trainings = [*_flows(setup), *(step for seed in range(setup.seeds) for step in _heads(setup, seed))]
    scores = [step for seed in range(setup.seeds) for step in _scores(setup, seed)]
    order = [step.name for step in (*trainings, *scores)]
    first = len(trainings)
    timed = [dataclasses.replace(step, behind=tuple(order[: first + i])) for i, step in enumerate(scores)]
    return [*trainings, *timed]


def of_other_runs(setup: Setup, results: Mapping[str, ResultEntry]) -> set[str]:
    """Return rows that have a result, though not of the run that the missing rows of their seed will sample.

    A seed's rows are compared as those of one network; the same training on another machine ends with other weights.
    What a head was tuned from is not in its result, so heads go with the rows of the flow.

    Args:
        setup: Folders and sizes.
        results: Results by name.
    """
    found: set[str] = set()
    for seed in range(setup.seeds):
        names = speed_names(setup, seed)
        there = {key: results[name] for key, name in names.items() if name in results}
        run = checkpoint_sha256(_run(setup, seed))
        weights = {entry.weights for (_, head), entry in there.items() if not head}
        if len(there) < len(names) and weights != {run}:
            found.update(names[key] for key in there)
    return found


def _flows(setup: Setup) -> list[Step]:
    grid = Grid(number="", title="", rows=(_ROW,), reading="")
    steps = table_steps(dataclasses.replace(setup, nfe=None), [grid])
    return [step for step in steps if not step.name.startswith("eval-")]


def _heads(setup: Setup, seed: int) -> list[Step]:
    flow = _run(setup, seed)
    found = []
    for head in HEADS:
        out = _run(setup, seed, head)
        words = ("train", MODEL, *learn(setup, seed, {"flow": str(flow), "head": head}), "--out", str(out))
        found.append(Step(out.name, words, (flow.name,)))
    return found


def _scores(setup: Setup, seed: int) -> list[Step]:
    found = []
    for (nfe, head), name in speed_names(setup, seed).items():
        run, evaluations = _run(setup, seed, head), () if head else ("--nfe", str(nfe))
        words = ("eval", "--model", MODEL, "--checkpoint", str(run), "--name", name, "--seed", str(seed))
        found.append(Step(f"eval-{name}", (*words, *evaluations, *scoring(setup)), (run.name,)))
    return found


def _run(setup: Setup, seed: int, head: str = "") -> Path:
    """Return the folder of the flow's run, or of a head's."""
    trained = training_name(setup, FULL, seed)
    return setup.work / "runs" / (f"{trained}-{head}" if head else trained)
