"""Plan a table: corpus, training runs, scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from foleybench.artefacts.entries import ResultEntry
from foleybench.reproduce.rows import Grid, GridRow, Variant
from foleybench.runtime.command_plan import Step

# Clips at once in generation.
BATCH = 16
# Models that have no network, or whose evaluations follow from the length of a clip.
_UNCOUNTED = ("nearest", "pasted_grains", "fixed_babble", "motion_babble", "specvqgan", "im2wav", "foleygen")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setup:
    """Folders and sizes of a reproduction.

    Attributes:
        work: Folder of corpus, runs and audio; kept out of git.
        results: Folder of the result files.
        size: Size of the models.
        seeds: Number of training seeds.
        steps: Training steps of the main stage, or None for the size's own.
        device: Torch device.
        jobs: Processes at a time.
        nfe: Network evaluations at sampling, or None for the model's own.
        data: Folder of a prepared SynthFoley, or None to prepare one below ``work``.
        clips: Score the first clips alone, as many of each class; None for all.
    """

    work: Path
    results: Path
    size: str = "tiny"
    seeds: int = 3
    steps: int | None = None
    device: str = "cpu"
    jobs: int = 2
    nfe: int | None = None
    data: Path | None = None
    clips: int | None = None

    @property
    def shards(self) -> Path:
        """Folder of the corpus."""
        return self.data or self.work / "shards"

    def manifest(self, split: str) -> Path:
        """Return the manifest of a split."""
        return self.shards / f"{split}.manifest.jsonl"


def is_on_all_clips(setup: Setup, entry: ResultEntry) -> bool:
    """Return whether a result is of as many clips as a setup's rows are; a control's name does not say its number."""
    n_clips = int(entry.result["dataset"]["n_clips"])
    return entry.n_asked == min(setup.clips or n_clips, n_clips)


def row_name(setup: Setup, row: GridRow, seed: int) -> str:
    """Return the name of a row's result for one seed, which holds all settings that decide the result."""
    assert row.variant is not None
    parts = [*([row.control, "of"] if row.control else []), row.variant.name, setup.size]
    parts += [f"steps{setup.steps}"] if setup.steps else []
    parts += [f"nfe{setup.nfe}"] if setup.nfe else []
    parts += [f"clips{setup.clips}"] if setup.clips else []
    parts += [f"guidance{row.guidance:g}"] if row.guidance is not None else []
    return "-".join([*parts, f"seed{seed}"])


def training_name(setup: Setup, variant: Variant, seed: int) -> str:
    """Return the name of a training run: of its step and of its folder."""
    return f"{_run_name(setup, variant.name)}-seed{seed}"


def evaluations_of(setup: Setup, model: str) -> int | None:
    """Return the number of network evaluations that a model is asked for; None for its own."""
    return None if model in _UNCOUNTED else setup.nfe


def table_steps(setup: Setup, grids: Iterable[Grid]) -> list[Step]:
    """Return the steps of some tables, in an order in which they could run one by one; each step once."""
    found: dict[str, Step] = {}
    grids = list(grids)
    rows = [row for grid in grids for row in (*grid.rows, *grid.ladder) if row.variant]
    # Seed by seed, so that an interrupted plan has complete seeds.
    for seed in range(setup.seeds):
        for row in rows:
            for step in _row_steps(setup, row, seed):
                found.setdefault(step.name, step)
    first = [] if setup.data else [prepare_step(setup)]
    if any(grid.controls for grid in grids):
        ready = tuple(step.name for step in first)
        first.append(Step("eval-controls", ("eval", "--controls", *scoring(setup)), ready))
        first.append(Step("eval-oracle", ("eval", "--model", "oracle", *scoring(setup)), ready))
    return [*first, *found.values()]


def left_to_do(
    steps: Sequence[Step], standing: Collection[str], controls: Collection[str], also: Collection[str] = ()
) -> list[Step]:
    """Leave out the scores of rows that stand, and what only they need.

    Args:
        steps: A plan.
        standing: Names of the rows that have a result.
        controls: Names of the rows that ``eval --controls`` makes.
        also: Names of steps that are needed whatever stands.
    """
    needed = set(also)
    for step in reversed(steps):
        if step.words[0] == "eval" and not all(row in standing for row in _rows(step, controls)):
            needed.add(step.name)
        if step.name in needed:
            needed.update(step.after)
    return [step for step in steps if step.name in needed]


def _rows(step: Step, controls: Collection[str]) -> Collection[str]:
    """Return the rows that a score makes."""
    if "--controls" in step.words:
        return controls
    option = "--name" if "--name" in step.words else "--model"
    return [step.words[step.words.index(option) + 1]]


def prepare_step(setup: Setup) -> Step:
    """Return the step that prepares the corpus; a plan with ``setup.data`` has none."""
    words = ("prepare", "synthfoley", "--size", "tiny", "--splits", "train", "val", "test")
    return Step("prepare", (*words, "--out", str(setup.shards), "--jobs", str(setup.jobs)))


def _row_steps(setup: Setup, row: GridRow, seed: int) -> Sequence[Step]:
    variant = row.variant
    assert variant is not None
    result, trained = row_name(setup, row, seed), training_name(setup, variant, seed)
    folder, model = setup.work / "runs" / trained / row.control, row.control or variant.model
    words = ("eval", "--model", model, "--checkpoint", str(folder), "--name", result, "--seed", str(seed))
    guided = ("--guidance", f"{row.guidance:g}") if row.guidance is not None else ()
    nfe = None if row.control else evaluations_of(setup, model)
    evaluations = ("--nfe", str(nfe)) if nfe else ()
    score = Step(f"eval-{result}", (*words, *guided, *evaluations, "--batch", str(BATCH), *scoring(setup)), (trained,))
    return [*_training_steps(setup, variant, seed), score]


def _training_steps(setup: Setup, variant: Variant, seed: int) -> list[Step]:
    """Return the steps that train a variant, after those of the runs that it takes parts from."""
    before: dict[str, Step] = {}
    settings = dict(variant.settings)
    for option, taken in variant.takes.items():
        before |= {step.name: step for step in _training_steps(setup, taken, seed)}
        settings[option] = str(setup.work / "runs" / training_name(setup, taken, seed) / option)
    if variant.stage:
        settings["stage"] = variant.stage
    name = training_name(setup, variant, seed)
    words = ("train", variant.model, *learn(setup, seed, settings), "--out", str(setup.work / "runs" / name))
    first = () if setup.data else ("prepare",)
    ready = tuple(dict.fromkeys(training_name(setup, taken, seed) for taken in variant.takes.values())) or first
    return [*before.values(), Step(name, words, ready)]


def scoring(setup: Setup, split: str = "test", results: Path | None = None) -> tuple[str, ...]:
    """Return the options that every score of a reproduction shares; results of another split have another folder."""
    words = ["--data", str(setup.manifest(split)), "--protocol", "synth", "--device", setup.device]
    words += ["--work", str(setup.work / "audio"), "--cache", str(setup.work / "cache")]
    words += ["--limit", str(setup.clips)] if setup.clips else []
    return (*words, "--out", str(results or setup.results))


def _run_name(setup: Setup, name: str) -> str:
    return "-".join([name, setup.size, *([f"steps{setup.steps}"] if setup.steps else [])])


def learn(setup: Setup, seed: int, settings: Mapping[str, str]) -> tuple[str, ...]:
    """Return the options that every training of a reproduction shares, and those settings."""
    words = ["--size", setup.size, "--data", str(setup.manifest("train")), "--val", str(setup.manifest("val"))]
    words += ["--steps", str(setup.steps)] if setup.steps else []
    words += ["--seed", str(seed), "--device", setup.device]
    words += ["--set", f"conditions={setup.work / 'conditions'}"]  # runs of one seed have the same frame features
    for key, value in sorted(settings.items()):
        words += ["--set", f"{key}={value}"]
    return tuple(words)
