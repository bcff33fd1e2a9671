"""The main job as a plan of ordinary commands: each step is a ``foleybench`` command that a person could type.

Steps run as soon as what they need is done, a few at a time, each with its own log. A step that is done is not done
again, so a demo that was interrupted goes on.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from foleybench.errors import EXIT_ERROR, EXIT_OK, EXIT_PARTIAL
from foleybench.manifest import write_atomically

_POLL_S = 0.2


@dataclasses.dataclass(frozen=True)
class Step:
    """One command of the plan.

    Attributes:
        name: Name of the step, of its log and of its mark.
        words: Arguments of ``foleybench``.
        after: Names of the steps whose output it reads.
    """

    name: str
    words: tuple[str, ...]
    after: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command as a person would type it."""
        return shlex.join(["foleybench", *self.words])


def plan(out: Path, *, jobs: int, seed: int, steps: int | None, limit: int | None) -> list[Step]:
    """Return the steps of the main job, in an order in which they could run one by one."""
    shards, runs, common = out / "shards", out / "runs", ("--seed", str(seed))
    train, val, test = (str(shards / f"{split}.manifest.jsonl") for split in ("train", "val", "test"))
    length = ("--steps", str(steps)) if steps else ()
    learn = ("--size", "tiny", "--data", train, "--val", val, *length, *common)
    score = ("--data", test, "--work", str(out / "audio"), "--out", str(out / "results"), *common)
    score += ("--cache", str(out / "cache"), *(("--limit", str(limit)) if limit else ()))
    aligned = runs / "foleyflow" / "vama"

    def train_step(model: str) -> Step:
        shared = () if model == "foleyflow" else ("--set", f"vama={aligned}")
        words = ("train", model, *learn, *shared, "--out", str(runs / model))
        return Step(f"train-{model}", words, ("train-vama",))

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
        eval_step("oracle", trained=False),
    ]
    controls = Step("eval-controls", ("eval", "--controls", *score), ("prepare",))
    scored = (*(step.name for step in evals), controls.name)
    corpus = ("prepare", "synthfoley", "--size", "tiny", "--splits", "train", "val", "test")
    return [
        Step(
            "prepare",
            (*corpus, "--out", str(shards), "--jobs", str(jobs), *common),
        ),
        Step(
            "train-vama",
            ("train", "foleyflow", *learn, "--set", "stage=vama", "--out", str(runs / "foleyflow")),
            ("prepare",),
        ),
        train_step("foleyflow"),
        train_step("foleyflow_static"),
        controls,
        train_step("unconditional"),
        train_step("nearest"),
        *evals,
        Step("leaderboard", ("leaderboard", "--results", results, "--out", str(out / "leaderboard")), scored),
        Step(
            "report",
            ("report", "--data", test, "--audio", *chosen, "--out", str(out / "report.html"), *common),
            scored,
        ),
    ]


def run_demo(out: Path, *, jobs: int, seed: int, steps: int | None, limit: int | None, dry_run: bool) -> int:
    """Run the plan and say where table and pages are.

    Returns:
        0, or 1 when a step failed (its log is named, steps that need it are left out).
    """
    todo = plan(out, jobs=jobs, seed=seed, steps=steps, limit=limit)
    if dry_run:
        sys.stdout.write("".join(f"{step.command}\n" for step in todo))
        return EXIT_OK
    started = time.perf_counter()
    failed = _run_all(todo, out, jobs)
    if failed:
        sys.stderr.write(
            f"foleybench: demo step {failed} failed; its last words are above, its log is in {out}/logs.\n"
        )
        return EXIT_ERROR
    board = out / "leaderboard"
    sys.stdout.write(
        f"done in {(time.perf_counter() - started) / 60:.1f} min\n"
        f"table:     {board / 'synthfoley.md'}\n"
        f"page:      {board / 'index.html'}\n"
        f"listen:    {out / 'report.html'}\n"
        f"curves:    {out / 'runs' / 'foleyflow'}\n"
    )
    return EXIT_OK


def _run_all(todo: Sequence[Step], out: Path, jobs: int) -> str:
    """Run the steps, at most ``jobs`` at a time; return the name of the first that failed, or ""."""
    waiting = [step for step in todo if not _is_done(step, out)]
    done = {step.name for step in todo} - {step.name for step in waiting}
    running: dict[str, tuple[Step, subprocess.Popen[bytes]]] = {}
    bar = tqdm(total=len(todo), initial=len(done), desc="demo", unit="step", disable=None)
    try:
        while waiting or running:
            ready = [step for step in waiting if done.issuperset(step.after)]
            for step in ready[: jobs - len(running)]:
                waiting.remove(step)
                sys.stderr.write(f"+ {step.command}\n")
                running[step.name] = (step, _start(step, out))
            time.sleep(_POLL_S)
            for name, (step, process) in list(running.items()):
                if process.poll() is None:
                    continue
                del running[name]
                if process.returncode not in (EXIT_OK, EXIT_PARTIAL):
                    _tell_log(out, name)
                    return name
                write_atomically(_mark(out, name), step.command.encode())
                done.add(name)
                bar.update()
    finally:
        bar.close()
        for _, process in running.values():
            process.terminate()
            process.wait()
    return ""


def _start(step: Step, out: Path) -> subprocess.Popen[bytes]:
    log = out / "logs" / f"{step.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    # One thread a process: two small processes on two cores beat one with two threads.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    with log.open("ab") as handle:
        return subprocess.Popen(  # noqa: S603 (our own command line)
            [sys.executable, "-m", "foleybench.cli", *step.words], stdout=handle, stderr=handle, env=environment
        )


def _mark(out: Path, name: str) -> Path:
    return out / "done" / name


def _is_done(step: Step, out: Path) -> bool:
    mark = _mark(out, step.name)
    return mark.is_file() and mark.read_text() == step.command


def _tell_log(out: Path, name: str) -> None:
    lines = (out / "logs" / f"{name}.log").read_text(errors="replace").splitlines()
    sys.stderr.write("\n".join(lines[-15:]) + "\n")
