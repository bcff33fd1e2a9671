"""Plan the scores of the reference model on the held-out splits.

The model of each seed is scored on each split of SynthFoley, beside the baseline without a network and the real audio
(the evaluators were not trained for these splits either), and tested against the ordinary test split. Splits hold
different clips, so the test is of two samples, not of pairs; so are seeds, since the networks of the test split's rows
may be of another training.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from foleybench.artefacts.entries import read_all
from foleybench.reproduce.cores import FULL, PASTED_GRAINS
from foleybench.reproduce.plan import Setup, evaluations_of, row_name, table_steps, training_name
from foleybench.reproduce.rows import Grid, GridRow
from foleybench.runtime.command_plan import Step
from foleybench.shards.manifest import read_manifest

SYSTEMS = (GridRow(label="Foley-Flow", variant=FULL), PASTED_GRAINS)
TRUE_AUDIO = "real audio"
_TEST = "test"
_LONG_S = 23.0
_LONG_OVER_SHORT = 2.5  # heldout_long is this much longer than the other splits of size tiny


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
    """Return the steps: the training runs and their scores (shared with the tables), the splits, and their scores."""
    found = table_steps(setup, [Grid(number="", title="", rows=SYSTEMS, reading="")])
    wanted = splits(setup)
    rest = [] if setup.data else [split.name for split in wanted if split.folder == setup.work / "heldout"]
    if rest:
        found.append(_prepare(setup, "prepare-heldout", rest, setup.work / "heldout"))
    found.append(_prepare(setup, "prepare-heldout-23s", ["heldout_long"], setup.work / "heldout_23s", _LONG_S))
    ready = tuple(step.name for step in found if step.name.startswith("prepare"))
    for split in wanted:
        words = ("eval", "--model", "ground_truth", "--name", _truth(split), *_scoring(setup, split))
        found.append(Step(f"eval-{_truth(split)}", words, ready))
    # Scores seed by seed, so that an interrupted plan has complete seeds.
    for seed in range(setup.seeds):
        held = [split for split in wanted if split.key != _TEST]
        found += [_score(setup, system, split, seed, ready) for split in held for system in SYSTEMS]
    return found


def standing(setup: Setup) -> set[str]:
    """Return the rows of held-out splits that have a result of the split as it would be scored."""
    wanted = {
        name: manifest_of(split)
        for split in splits(setup)
        for names in result_names(setup, split).values()
        for name in names
    }
    found = set()
    for entry in read_all(results_folder(setup)):
        path = wanted.get(entry.row_name)
        if path and (not path.is_file() or entry.result["dataset"]["manifest_sha256"] == read_manifest(path).sha256):
            found.add(entry.row_name)
    return found


def needed_by_page(setup: Setup) -> set[str]:
    """Return the steps that prepare splits whose manifest the page needs and does not have."""
    absent = {split.folder for split in splits(setup) if not manifest_of(split).is_file()}
    made = {setup.work / "heldout": "prepare-heldout", setup.work / "heldout_23s": "prepare-heldout-23s"}
    return {name for folder, name in made.items() if folder in absent}


def _score(setup: Setup, system: GridRow, split: HeldoutSplit, seed: int, ready: tuple[str, ...]) -> Step:
    assert system.variant is not None
    model, trained = system.variant.model, training_name(setup, system.variant, seed)
    nfe = evaluations_of(setup, model)
    evaluations = ("--nfe", str(nfe)) if nfe else ()
    name = _name(setup, system, split, seed)
    words = ("eval", "--model", model, "--checkpoint", str(setup.work / "runs" / trained), *evaluations)
    return Step(
        f"eval-{name}", (*words, "--name", name, "--seed", str(seed), *_scoring(setup, split)), (trained, *ready)
    )


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
    name = row_name(setup, system, seed)
    return name if split.key == _TEST else f"heldout-{split.key}-{name}"


def _truth(split: HeldoutSplit) -> str:
    return f"heldout-{split.key}-truth"


def result_names(setup: Setup, split: HeldoutSplit) -> dict[str, list[str]]:
    """Return what is heard in the rows of a split -> the names of the results, one a seed; the real audio has none."""
    seeds = range(setup.seeds)
    return {
        **{one.label: [_name(setup, one, split, seed) for seed in seeds] for one in SYSTEMS},
        TRUE_AUDIO: [_truth(split)],
    }
