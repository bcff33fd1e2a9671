"""Plan the scores of the reference model on the held-out splits.

The model of each seed is scored on each split of SynthFoley, beside the baseline without a network and the real audio,
and tested against the ordinary test split. Splits hold different clips, so the test is of two samples, not of pairs; so
are seeds, since splits may be scored with networks of other trainings.

The packaged evaluators do not hold on these splits, of which they met no kind in training. So the page has evaluators
of its own, which also learn from other draws of the same kinds (``EVALUATOR_SPLITS``), and all its rows are scored by
them, those of the test split too. Its results are apart from the tables'; only the networks are the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from foleybench.api.weights import EVALUATORS
from foleybench.artefacts.entries import ResultEntry, read_all
from foleybench.reproduce.cores import FULL, PASTED_GRAINS
from foleybench.reproduce.page_evaluators import evaluators_at_hand, page_evaluators_folder, scored_by_page
from foleybench.reproduce.plan import Setup, evaluations_of, row_name, table_steps, training_name
from foleybench.reproduce.rows import Grid, GridRow
from foleybench.runtime.command_plan import Step
from foleybench.shards.manifest import read_manifest

SYSTEMS = (GridRow(label="Foley-Flow", variant=FULL), PASTED_GRAINS)
TRUE_AUDIO = "real audio"
_TEST = "test"
_LONG_S = 23.0
_LONG_OVER_SHORT = 2.5  # heldout_long is this much longer than the other splits of size tiny
# The kinds of clips that the page's evaluators also learn from, by folder and seed, which no scored clip has; longer
# clips are new to them in nothing else. Materials count twice: by them the packaged evaluators lose most.
EVALUATOR_SPLITS = {
    ("evaluator_splits", 1): ("heldout_material", "heldout_tempo", "heldout_fps"),
    ("evaluator_splits_2", 3): ("heldout_material",),
}
_TRAIN_EVALUATORS = "train-evaluators"


class HeldoutSplit(NamedTuple):
    """One row.

    Attributes:
        key: Part of the names of its results.
        title: Title of the row.
        name: The split in the corpus.
        folder: Folder of the split.
    """

    key: str
    title: str
    name: str
    folder: Path


def splits(setup: Setup) -> list[HeldoutSplit]:
    """Return the splits that are scored, the ordinary one first."""
    held, long = setup.data or setup.work / "heldout", setup.work / "heldout_23s"
    return [
        HeldoutSplit(_TEST, "test (4 s, 25 fps)", "test", setup.shards),
        HeldoutSplit("material", "new combinations of material and motion", "heldout_material", held),
        HeldoutSplit("tempo", "faster tempo", "heldout_tempo", held),
        HeldoutSplit("fps", "other frame rates", "heldout_fps", held),
        HeldoutSplit("long", "10 s clips", "heldout_long", held),
        HeldoutSplit("23s", "23 s clips", "heldout_long", long),
        HeldoutSplit("counterfactual", "counterfactual pairs", "counterfactual", held),
    ]


def results_folder(setup: Setup) -> Path:
    """Return the folder of the results, apart from the tables', which are all of one split."""
    return setup.results.parent / "heldout_results"


def heldout_steps(setup: Setup) -> list[Step]:
    """Return the steps: the training runs (shared with the tables), the splits, the evaluators, and the scores."""
    shared = table_steps(setup, [Grid(number="", title="", rows=SYSTEMS, reading="")])
    found = [step for step in shared if step.words[0] != "eval"]  # the tables' evaluators are others
    wanted = splits(setup)
    rest = [] if setup.data else [split.name for split in wanted if split.folder == setup.work / "heldout"]
    if rest:
        found.append(_prepare(setup, "prepare-heldout", rest, setup.work / "heldout"))
    found.append(_prepare(setup, "prepare-heldout-23s", ["heldout_long"], setup.work / "heldout_23s", _LONG_S))
    ready = (*(step.name for step in found if step.name.startswith("prepare")), _TRAIN_EVALUATORS)
    found += _evaluator_steps(setup)
    scores = [
        _score(setup, _truth(split), split, ("--model", "ground_truth", "--name", _truth(split)), ready)
        for split in wanted
    ]
    # Scores seed by seed, so that an interrupted plan has complete seeds.
    for seed in range(setup.seeds):
        scores += [_score_system(setup, system, split, seed, ready) for split in wanted for system in SYSTEMS]
    # A score is marked as done by its words, which do not say which evaluators lay in their folder.
    stale = {entry.row_name for entry in read_all(results_folder(setup))} - standing(setup)
    return [*found, *(dataclasses.replace(step, again=step.name.removeprefix("eval-") in stale) for step in scores)]


def standing(setup: Setup) -> set[str]:
    """Return the rows of the page that have a result of the split as it is now, by the page's evaluators."""
    wanted = _manifests(setup)
    found = set()
    for entry in entries_of_page(setup):
        path = wanted[entry.row_name]
        if not path.is_file() or entry.result["dataset"]["manifest_sha256"] == read_manifest(path).sha256:
            found.add(entry.row_name)
    return found


def entries_of_page(setup: Setup) -> list[ResultEntry]:
    """Return the results of the page that its evaluators scored (``page_evaluators``), sorted by name."""
    wanted = _manifests(setup)
    return scored_by_page(setup, [entry for entry in read_all(results_folder(setup)) if entry.row_name in wanted])


def _manifests(setup: Setup) -> dict[str, Path]:
    """Return the manifest of each result of the page, by the result's name."""
    return {
        name: manifest_of(split)
        for split in splits(setup)
        for names in result_names(setup, split).values()
        for name in names
    }


def needed_by_page(setup: Setup) -> set[str]:
    """Return the steps that prepare splits whose manifest the page needs and does not have."""
    absent = {split.folder for split in splits(setup) if not manifest_of(split).is_file()}
    made = {setup.work / "heldout": "prepare-heldout", setup.work / "heldout_23s": "prepare-heldout-23s"}
    return {name for folder, name in made.items() if folder in absent}


def _evaluator_steps(setup: Setup) -> list[Step]:
    """Return the steps that make the page's evaluators, and the clips that only they learn from."""
    found, also = [], []
    for (folder, seed), wanted in EVALUATOR_SPLITS.items():
        made = setup.work / folder
        drawn = ("prepare", "synthfoley", "--size", "base", "--seconds", "4", "--seed", str(seed))
        words = (*drawn, "--splits", *wanted, "--out", str(made), "--jobs", str(setup.jobs))
        found.append(Step(f"prepare-{folder}", words))
        also += [str(made / f"{name}.manifest.jsonl") for name in wanted]
    told = ("--data", str(setup.manifest("train")), "--val", str(setup.manifest("val")), "--also", *also)
    ready = (*(() if setup.data else ("prepare",)), *(step.name for step in found))
    trained = ("train", "evaluators", *told, "--out", str(page_evaluators_folder(setup)))
    return [*found, Step(_TRAIN_EVALUATORS, trained, ready, again=evaluators_at_hand(setup) is None)]


def _score_system(setup: Setup, system: GridRow, split: HeldoutSplit, seed: int, ready: tuple[str, ...]) -> Step:
    assert system.variant is not None
    model, trained = system.variant.model, training_name(setup, system.variant, seed)
    nfe = evaluations_of(setup, model)
    evaluations = ("--nfe", str(nfe)) if nfe else ()
    name = _name(setup, system, split, seed)
    words = ("--model", model, "--checkpoint", str(setup.work / "runs" / trained), *evaluations)
    some = ("--limit", str(setup.clips)) if setup.clips and split.key == _TEST else ()
    return _score(setup, name, split, (*words, "--name", name, "--seed", str(seed), *some), (trained, *ready))


def _score(setup: Setup, name: str, split: HeldoutSplit, words: Sequence[str], ready: tuple[str, ...]) -> Step:
    own = ((EVALUATORS, str(page_evaluators_folder(setup))),)
    return Step(f"eval-{name}", ("eval", *words, *_scoring(setup, split)), ready, environment=own)


def _prepare(setup: Setup, name: str, wanted: Sequence[str], out: Path, long_s: float | None = None) -> Step:
    words = ("prepare", "synthfoley", "--size", "tiny", "--splits", *wanted, "--out", str(out))
    length = ("--seconds", f"{long_s / _LONG_OVER_SHORT:g}") if long_s else ()
    return Step(name, (*words, *length, "--jobs", str(setup.jobs)))


def _scoring(setup: Setup, split: HeldoutSplit) -> tuple[str, ...]:
    words = ("--data", str(manifest_of(split)), "--protocol", "synth", "--device", setup.device)
    kept = ("--work", str(setup.work / "audio"), "--cache", str(setup.work / "cache"))
    return (*words, *kept, "--out", str(results_folder(setup)))


def manifest_of(split: HeldoutSplit) -> Path:
    """Return the manifest of a split."""
    return split.folder / f"{split.name}.manifest.jsonl"


def _name(setup: Setup, system: GridRow, split: HeldoutSplit, seed: int) -> str:
    return f"heldout-{split.key}-{row_name(setup, system, seed)}"


def _truth(split: HeldoutSplit) -> str:
    return f"heldout-{split.key}-truth"


def result_names(setup: Setup, split: HeldoutSplit) -> dict[str, list[str]]:
    """Return what is heard in the rows of a split -> the names of the results, one a seed; the real audio has none."""
    seeds = range(setup.seeds)
    return {
        **{one.label: [_name(setup, one, split, seed) for seed in seeds] for one in SYSTEMS},
        TRUE_AUDIO: [_truth(split)],
    }
