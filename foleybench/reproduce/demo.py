"""Plan the main job as ordinary commands (``foleybench.runtime.command_plan``)."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from foleybench.errors import EXIT_ERROR, EXIT_OK
from foleybench.runtime.command_plan import Step, run_steps

BOARD = "leaderboard"
# Parts of the splits of size tiny, equally many clips of each of the 27 classes, so that the demo stays short.
N_TRAIN = 28 * 27
N_TEST = 2 * 27
# A sixth of what size tiny takes by itself: minutes, for a model that has only begun to learn.
STEPS = 150


def listening(out: Path) -> Path:
    """Return the path of the listening page, to which the leaderboard's rows link."""
    return out / BOARD / "listening" / "synthfoley.html"


def demo_steps(out: Path, *, jobs: int, seed: int, steps: int | None, limit: int | None) -> list[Step]:
    """Return the steps of the main job, in an order in which they could run one by one."""
    shards, runs, common = out / "shards", out / "runs", ("--seed", str(seed))
    train, val, test = (str(shards / f"{split}.manifest.jsonl") for split in ("train", "val", "test"))
    learn = ("--size", "tiny", "--data", train, "--val", val, "--steps", str(steps or STEPS), *common)
    score = ("--data", test, "--work", str(out / "audio"), "--out", str(out / "results"), *common)
    score += ("--cache", str(out / "cache"), *(("--limit", str(limit)) if limit else ()))
    shared = ("--set", f"alignment={runs / 'foleyflow' / 'alignment'}")

    def train_step(model: str, *taken: str, after: str = "train-alignment") -> Step:
        words = ("train", model, *learn, *taken, "--out", str(runs / model))
        return Step(f"train-{model}", words, (after,))

    def eval_step(model: str, *more: str, name: str = "", trained: bool = True) -> Step:
        checkpoint = ("--checkpoint", str(runs / model)) if trained else ()
        words = ("eval", "--model", model, *checkpoint, *more, *score)
        return Step(f"eval-{name or model}", words, (f"train-{model}",) if trained else ("prepare",))

    results = str(out / "results")
    audio = out / "audio" / "synthfoley" / "test"
    chosen = [f"{name}={audio / name}" for name in ("ground_truth", "foleyflow", "foleyflow_static", "nearest")]
    evals = [
        eval_step("foleyflow"),
        eval_step("foleyflow_static"),
        eval_step("foleyflow", "--nfe", "1", name="foleyflow-nfe1"),
        eval_step("unconditional"),
        eval_step("nearest"),
    ]
    oracle = eval_step("oracle", trained=False)
    controls = Step("eval-controls", ("eval", "--controls", *score), ("prepare",))
    page = ("leaderboard", "--results", results, "--out", str(out / BOARD))
    scored = (*(step.name for step in evals), oracle.name, controls.name)
    corpus = ("prepare", "synthfoley", "--size", "tiny", "--out", str(shards), "--jobs", str(jobs), *common)
    return [
        Step("prepare", (*corpus, "--splits", "val", "test", "--limit", str(N_TEST))),
        # What needs no training stands on the page while the rest is still made. Ready steps begin in this order.
        oracle,
        Step("first-page", page, (oracle.name,)),
        Step("prepare-train", (*corpus, "--splits", "train", "--limit", str(N_TRAIN)), ("prepare",)),
        controls,
        Step("second-page", page, ("first-page", controls.name)),
        Step(
            "train-alignment",
            ("train", "foleyflow", *learn, "--set", "stage=alignment", "--out", str(runs / "foleyflow")),
            ("prepare-train",),
        ),
        train_step("foleyflow"),
        train_step("foleyflow_static", *shared),
        train_step("unconditional", after="prepare-train"),
        train_step("nearest", *shared),
        *evals,
        Step("report", ("report", "--data", test, "--audio", *chosen, "--out", str(listening(out)), *common), scored),
        # After the report: the page's rows link to the listening page if there is one.
        Step("leaderboard", page, (*scored, "report", "second-page")),
    ]


def run_demo(out: Path, *, jobs: int, seed: int, steps: int | None, limit: int | None, dry_run: bool) -> int:
    """Run the plan and print the paths of table and pages.

    Returns:
        0, or 1 when a step failed (its log is named, steps that need it are left out).
    """
    todo = demo_steps(out, jobs=jobs, seed=seed, steps=steps, limit=limit)
    if dry_run:
        sys.stdout.write("".join(f"{step.command}\n" for step in todo))
        return EXIT_OK
    board = out / BOARD
    sys.stderr.write(f"the page has the oracle, then the controls, at last all rows: {board / 'index.html'}\n")
    started = time.perf_counter()
    failed = run_steps(todo, out, jobs, title="demo")
    if failed:
        sys.stderr.write(
            f"foleybench: demo step {failed} failed; its last words are above, its log is in {out}/logs.\n"
        )
        return EXIT_ERROR
    sys.stdout.write(
        f"done in {(time.perf_counter() - started) / 60:.1f} min\n"
        f"table:     {board / 'synthfoley.md'}\n"
        f"page:      {board / 'index.html'}\n"
        f"listen:    {listening(out)}\n"
        f"curves:    {out / 'runs' / 'foleyflow'}\n"
    )
    return EXIT_OK
