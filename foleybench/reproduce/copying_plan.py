"""Plan the scores of how much each row copies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from foleybench.artefacts.audio_folder import GENERATION_FILE
from foleybench.encoders.training_match import WEIGHTS
from foleybench.errors import FoleyError
from foleybench.reproduce.copying import METRIC, TRUTH, copying_folder, n_clips, up_to_date
from foleybench.reproduce.plan import Setup, prepare_step, row_name
from foleybench.reproduce.rows import Grid
from foleybench.runtime.command_plan import Step, is_done, mark_of
from foleybench.shards.manifest import read_manifest

INDEX = "copying-index"


class CopyingPlan(NamedTuple):
    """The scores of how much is copied.

    Attributes:
        steps: What is to be run after the rest of the plan, in order.
        lost: A sentence for each group of rows whose audio is gone: which, and what to do next.
    """

    steps: list[Step]
    lost: list[str]


def copying_plan(setup: Setup, grids: Iterable[Grid], todo: Sequence[Step]) -> CopyingPlan:
    """Plan a score for every row whose audio is there, or will be, and has no share yet.

    Args:
        setup: Folders and sizes.
        grids: The tables; only those that show copying count.
        todo: The rest of the plan.
    """
    planned = {step.name: step for step in todo}
    standing = up_to_date(setup)
    scores: list[Step] = []
    removed: list[str] = []
    kept: list[str] = []
    for row, making in _rows(setup, grids).items():
        step = planned.get(making)
        if step and not is_done(step, setup.work):
            scores.append(_score(setup, row, (INDEX, making)))
        elif row in standing:
            continue
        elif (audio_of(setup, row) / GENERATION_FILE).is_file():
            scores.append(_score(setup, row, (INDEX,)))
        else:
            (removed if step else kept).append(row)
    return CopyingPlan([*_index(setup, planned), *scores] if scores else [], _lost(setup, removed, kept))


def _rows(setup: Setup, grids: Iterable[Grid]) -> Mapping[str, str]:
    """Return the name of every row, seed by seed, and of the step that makes its audio; the true sound last."""
    shown = [grid for grid in grids if grid.copying]
    rows = [row for grid in shown for row in grid.rows if row.variant]
    names = [row_name(setup, row, seed) for seed in range(setup.seeds) for row in rows]
    controls = {TRUTH: "eval-controls"} if any(grid.controls for grid in shown) else {}
    return {**{name: f"eval-{name}" for name in names}, **controls}


def audio_of(setup: Setup, row: str) -> Path:
    """Return the folder where a row's score leaves its audio."""
    return setup.work / "audio" / "synthfoley" / "test" / row


def _index(setup: Setup, planned: Mapping[str, Step]) -> list[Step]:
    """Return the step that makes the index of the training audio, and the corpus where no other step does."""
    folder = _index_folder(setup)
    words = ("train", INDEX, "--data", str(setup.manifest("train")), "--val", str(setup.manifest("val")))
    corpus = None if setup.data else prepare_step(setup)
    index = Step(
        INDEX,
        (*words, "--out", str(folder)),
        (corpus.name,) if corpus else (),
        again=not _is_index_of(folder / WEIGHTS.filename, setup.manifest("train")),
    )
    return [corpus, index] if corpus and corpus.name not in planned else [index]


def _is_index_of(index: Path, train: Path) -> bool:
    """Return whether an index is there and of the train split as it is prepared now, where that is there to be seen."""
    if not index.is_file():
        return False
    return not train.is_file() or _indexed_manifest(index) == read_manifest(train).sha256


def _indexed_manifest(index: Path) -> str:
    """Return the hash of the manifest that an index's audio is of; "" where the file does not say."""
    from foleybench.encoders._nets.mini_nets import read_facts

    try:
        return str(read_facts(index)["data"]["manifest_sha256"])
    except (FoleyError, KeyError):
        return ""


def _index_folder(setup: Setup) -> Path:
    return setup.work / "copying"


def _score(setup: Setup, row: str, after: tuple[str, ...]) -> Step:
    words = ("eval", "--audio", str(audio_of(setup, row)), "--name", row, "--data", str(setup.manifest("test")))
    scored = ("--metric", METRIC, "--limit", str(n_clips(setup)), "--device", setup.device)
    kept = ("--cache", str(setup.work / "cache"), "--out", str(copying_folder(setup)))
    weights = (("FOLEYBENCH_WEIGHTS", str(_index_folder(setup))),)
    return Step(f"copying-{row}", (*words, *scored, *kept), after, environment=weights, again=True)


def _lost(setup: Setup, removed: Sequence[str], kept: Sequence[str]) -> list[str]:
    """Say which rows have no share because their audio is gone, and what to do."""
    home = audio_of(setup, "")
    texts = []
    for rows, advice in (
        (removed, f"delete {mark_of(setup.work, 'eval-ROW')} and run again"),
        (
            kept,
            f"delete its file in {setup.results} (and {mark_of(setup.work, 'eval-ROW')}, if it is there) and run again "
            "with --keep",
        ),
    ):
        if rows:
            texts.append(
                f"no copying share of {', '.join(rows)}: {'its' if len(rows) == 1 else 'their'} audio is not in {home} "
                f"(removed, or made elsewhere). To make the audio of a ROW again, {advice}."
            )
    return texts
