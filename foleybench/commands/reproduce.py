"""``foleybench reproduce``: the paper's tables, measured beside reported."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from foleybench.commands.eval import CONTROLS
from foleybench.errors import EXIT_ERROR, EXIT_OK, EXIT_PARTIAL, FoleyError

if TYPE_CHECKING:
    from foleybench.artefacts.entries import ResultEntry
    from foleybench.reproduce.plan import Setup
    from foleybench.runtime.command_plan import Step

HELP = "train and score a table of the paper, and write it measured and as reported"
EXAMPLE = "foleybench reproduce table4 --size tiny --seeds 3"
TABLES = (
    "table1", "table2", "table3", "table4", "table5", "condition_rate", "visual_mask", "switches", "speed", "heldout",
    "search",
)  # fmt: skip
_TABLE_HELP = (
    "one or more tables of the paper; condition_rate, visual_mask, switches (what makes timing, and what table1 leaves "
    "open of its cores; one seed tells it); speed; heldout (other splits); search (settings, on the validation split)"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("table", nargs="+", choices=TABLES, help=_TABLE_HELP)
    parser.add_argument("--size", default="tiny", choices=("tiny", "base"), help="size of the models (default: tiny)")
    parser.add_argument("--seeds", type=int, default=3, help="training seeds, 0 to N - 1 (default: 3)")
    parser.add_argument("--steps", type=int, help="training steps of the flow stage (default: the size's own)")
    parser.add_argument("--nfe", type=int, help="network evaluations at sampling (default: the model's own)")
    parser.add_argument(
        "--clips", type=int, help="score the first clips of the test split alone, as many of each class (default: all)"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of a prepared SynthFoley (default: made)")
    parser.add_argument(
        "--work", type=Path, default=Path("out/reproduce"), help="folder of runs and audio (%(default)s)"
    )
    home = Path("leaderboards/reproduce")
    parser.add_argument("--out", type=Path, default=home, help="folder of tables and result files (%(default)s)")
    parser.add_argument("--published", type=Path, help="list of reported values (default: the one of this package)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default: 2)")
    parser.add_argument(
        "--device", default="cpu", help="torch device: cpu, cuda, or auto for CUDA where it is there (default: cpu)"
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="go on from the results in --out: do not make again the rows that have one, nor train what only they need",
    )
    parser.add_argument("--tables-only", action="store_true", help="train nothing: write what the results allow")
    parser.add_argument("--dry-run", action="store_true", help="print the commands, and run none")


def run(args: argparse.Namespace) -> int:
    """Run what has not been run, then write the tables; 3 when rows are missing."""
    from foleybench.artefacts import shipped
    from foleybench.reproduce.build import write_tables
    from foleybench.reproduce.made_by import command_text
    from foleybench.reproduce.plan import Setup
    from foleybench.runtime.command_plan import run_steps
    from foleybench.scoring.device import usable_device

    _check(args)
    setup = Setup(
        work=args.work,
        results=args.out / "results",
        size=args.size,
        seeds=args.seeds,
        steps=args.steps,
        device=usable_device(args.device),
        jobs=args.jobs,
        nfe=args.nfe,
        data=args.data,
        clips=args.clips,
    )
    if not args.tables_only:
        _refuse_other_test_set(setup)
    todo = _steps(args, setup)
    if args.dry_run:
        sys.stdout.write("".join(f"{step.command}\n" for step in todo))
        return EXIT_OK
    if not args.tables_only:
        failed = run_steps(todo, args.work, args.jobs, title="reproduce")
        if failed:
            sys.stderr.write(f"foleybench: step {failed} failed; its log is in {args.work}/logs.\n")
            return EXIT_ERROR
        _time(args, setup, again=bool(todo))
    published = args.published or shipped.published()
    missing = write_tables(setup, args.table, args.out, published, command_text(setup, args.table))
    for name in missing:
        sys.stderr.write(f"no result yet: {name}\n")
    pages = [args.out / f"{name}.md" for name in args.table]
    sys.stdout.write("".join(f"{page}\n" for page in pages if page.is_file()))
    return EXIT_PARTIAL if missing else EXIT_OK


def _time(args: argparse.Namespace, setup: Setup, *, again: bool) -> None:
    """Time the rows of the tables that show it, now that no job of the plan runs; a page can do without."""
    from foleybench.reproduce.grids import GRIDS
    from foleybench.reproduce.timing import time_rows

    for name in args.table:
        if name in GRIDS and GRIDS[name].timed:
            try:
                time_rows(setup, GRIDS[name], args.out / f"{name}_times.csv", again=again)
            except FoleyError as error:
                sys.stderr.write(f"the rows of {name} are not timed: {error}\n")


def _check(args: argparse.Namespace) -> None:
    """Refuse numbers that make no sense, folders that cannot be written to and other evaluators, before the work.

    Raises:
        FoleyError: Names the option or the variable.
    """
    from foleybench.api.weights import EVALUATORS, evaluators_folder
    from foleybench.files import require_writable

    if evaluators_folder() and not args.tables_only:
        raise FoleyError(
            f"{EVALUATORS} is set to {evaluators_folder()}; the tables are scored by the packaged evaluators, the page "
            "of held-out splits by those that its plan makes. Unset it."
        )
    if args.seeds < 1:
        raise FoleyError(f"--seeds {args.seeds}: at least one seed must be trained.")
    if args.clips is not None and args.clips < 1:
        raise FoleyError(f"--clips {args.clips}: at least one clip must be scored.")
    require_writable(args.out, "--out")
    if not args.tables_only:
        require_writable(args.work, "--work")


def _steps(args: argparse.Namespace, setup: Setup) -> list[Step]:
    """Return what is to be run; say which rows' audio is gone."""
    from foleybench.reproduce import heldout, search, speed
    from foleybench.reproduce.build import steps_of
    from foleybench.reproduce.copying_plan import copying_plan
    from foleybench.reproduce.grids import GRIDS
    from foleybench.reproduce.measure import read_results
    from foleybench.reproduce.plan import left_to_do

    todo = steps_of(setup, args.table)
    if args.keep:
        also = heldout.needed_by_page(setup) if "heldout" in args.table else ()
        results = read_results(setup.results)
        standing = _standing(setup, results) | heldout.standing(setup) | search.measured_tries(setup)
        standing -= speed.of_other_runs(setup, results) if "speed" in args.table else set()
        todo = left_to_do(todo, standing, CONTROLS, also)
    if args.tables_only:
        return todo
    _refuse_misfits(todo, args.work)
    shares = copying_plan(setup, [GRIDS[name] for name in args.table if name in GRIDS], todo)
    sys.stderr.writelines(f"{line}\n" for line in shares.lost)
    return [*todo, *shares.steps]


def _refuse_misfits(todo: Sequence[Step], work: Path) -> None:
    """Refuse a plan with a training that would be refused for what is trained already, before anything runs.

    Raises:
        FoleyError: Names the step; says what its training would say.
    """
    from foleybench.commands import train
    from foleybench.runtime.command_plan import is_done

    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    for step in todo:
        if step.words[0] == "train" and not is_done(step, work):
            trained = parser.parse_args(step.words[1:])
            if trained.out.is_dir() or any(_is_folder(text) for text in trained.set):
                try:
                    train.check_training(trained)
                except FoleyError as error:
                    raise FoleyError(f"step {step.name}: {error}") from error


def _is_folder(setting: str) -> bool:
    """Return whether a setting names a folder that is there; without any there is nothing that could not fit."""
    name, _, value = setting.partition("=")
    return name != "conditions" and Path(value).is_dir()


def _standing(setup: Setup, results: Mapping[str, ResultEntry]) -> set[str]:
    """Return the rows that have a result of as many clips as would be scored."""
    from foleybench.reproduce.plan import is_on_all_clips

    return {name for name, entry in results.items() if is_on_all_clips(setup, entry)}


def _refuse_other_test_set(setup: Setup) -> None:
    """Refuse to write results beside those of another test set: no table can be made of both.

    Raises:
        FoleyError: The results at hand are of another test set than the prepared one.
    """
    from foleybench.reproduce.measure import read_results
    from foleybench.shards.manifest import read_manifest

    results, test = read_results(setup.results), setup.manifest("test")
    measured = {entry.result["dataset"]["manifest_sha256"] for entry in results.values()}
    if test.is_file() and measured - {read_manifest(test).sha256}:
        raise FoleyError(
            f"the results in {setup.results} are of another test set ({', '.join(sorted(measured))}) than {test}. "
            "Give another --out, or give the --data that they were measured on."
        )
