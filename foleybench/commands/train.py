"""``foleybench train``: train a model, evaluators, or make an index."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from foleybench.commands._options import add_common, add_data, manifest_in
from foleybench.errors import EXIT_OK, FoleyError
from foleybench.files import require_writable
from foleybench.runtime import distributed
from foleybench.runtime.lock import locked

if TYPE_CHECKING:
    from foleybench.api.model import TrainContext

HELP = "train a model (foleyflow ...), evaluators, align-classifier or copying-index; goes on from the last checkpoint"
EXAMPLE = "foleybench train foleyflow --size tiny --data shards/synthfoley/train.manifest.jsonl --out runs/foleyflow"

NO_MODELS = ("evaluators", "align-classifier", "copying-index")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument(
        "model", help="a name from `foleybench list models`, or `evaluators`, `align-classifier`, `copying-index`"
    )
    add_data(parser)
    parser.add_argument("--val", type=Path, metavar="MANIFEST", help="manifest of the validation split")
    parser.add_argument(
        "--also",
        type=manifest_in,
        nargs="+",
        default=[],
        metavar="MANIFEST",
        help="evaluators: manifests of further splits to train on; none that is scored",
    )
    parser.add_argument("--out", type=Path, required=True, help="run folder: checkpoints, logs, plots")
    parser.add_argument(
        "--size", default="tiny", choices=("tiny", "base", "std16k", "paper"), help="size (default: tiny)"
    )
    parser.add_argument("--steps", type=int, help="number of steps of the main stage; other stages scale alike")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="override one setting")
    parser.add_argument("--tensorboard", action="store_true", help="log for TensorBoard, too (beside every log.jsonl)")
    parser.add_argument(
        "--sample-every",
        type=int,
        default=0,
        metavar="N",
        help="write audio for a few clips every N steps (default: never)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be trained, and train nothing")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Train and print the path of the checkpoint."""
    require_writable(args.out, "--out")
    _refuse_also(args)
    if args.dry_run:
        check_training(args)
        sys.stderr.write(f"would train {args.model} ({args.size}) on {args.data} in {args.out}\n")
        return EXIT_OK
    # Processes of one launcher share the run folder: the first one locks it for all.
    with locked(args.out, "train", ".lock") if distributed.launched()[0] == 0 else contextlib.nullcontext():
        return _train(args)


def check_training(args: argparse.Namespace) -> None:
    """Refuse what the training would refuse of settings and of trained parts that are there; reads no data.

    Raises:
        FoleyError: As the training does.
    """
    from foleybench.load import load_model
    from foleybench.scoring.device import usable_device

    if args.model in NO_MODELS:
        return
    model = load_model(args.model)
    if model.check is not None:
        model.check(_context(args, usable_device(args.device)))


def _train(args: argparse.Namespace) -> int:
    from foleybench.scoring.device import usable_device

    args.device = usable_device(args.device)
    if args.model in NO_MODELS:
        _refuse_unheard(args)
    if args.model == "evaluators":
        return _train_evaluators(args)
    if args.model == "align-classifier":
        return _train_align_classifier(args)
    if args.model == "copying-index":
        return _make_copying_index(args)
    return _train_model(args)


def _train_model(args: argparse.Namespace) -> int:
    from foleybench.load import load_model

    model = load_model(args.model)
    if model.train is None:
        raise FoleyError(f"{args.model} has nothing to train; use it with `foleybench eval --model {args.model}`.")
    with distributed.joined(args.device) as device:
        checkpoint = model.train(_context(args, device))
        if distributed.first():
            sys.stdout.write(f"{checkpoint}\n")
    return EXIT_OK


def _context(args: argparse.Namespace, device: str) -> TrainContext:
    from foleybench.api.model import TrainContext

    return TrainContext(
        data=args.data,
        val=args.val,
        out=args.out,
        size=args.size,
        device=device,
        seed=args.seed,
        steps=args.steps,
        settings=dict(_pair(text) for text in args.set),
        tensorboard=args.tensorboard,
        sample_every=args.sample_every,
    )


def _refuse_unheard(args: argparse.Namespace) -> None:
    """Refuse options that only models use: ignoring them silently would mislead."""
    if args.tensorboard or args.sample_every or distributed.launched()[1] > 1:
        raise FoleyError(f"{args.model} are trained in one process, without --tensorboard and --sample-every.")


def _refuse_also(args: argparse.Namespace) -> None:
    """Refuse further splits where they would be ignored."""
    if args.also and args.model != "evaluators":
        others = ", ".join(map(str, args.also))
        raise FoleyError(f"--also {others}: {args.model} learns from --data alone. Leave --also out.")


def _train_evaluators(args: argparse.Namespace) -> int:
    from foleybench.api.weights import EVALUATORS
    from foleybench.evaluators.mini import train_evaluators

    for name, value in train_evaluators(args.data, args.val, args.out, args.seed, args.steps, args.also).items():
        sys.stderr.write(f"{name} {value:.4f}\n")
    sys.stderr.write(f"score with: {EVALUATORS}={args.out} foleybench eval ...\n")
    sys.stdout.write(f"{args.out}\n")
    return EXIT_OK


def _train_align_classifier(args: argparse.Namespace) -> int:
    from foleybench.evaluators.align import train_align_classifier
    from foleybench.evaluators.align.train import align_recipe

    settings = dict(_pair(text) for text in args.set)
    recipe = align_recipe(args.size, seed=args.seed, steps=args.steps, settings=settings)
    measured = train_align_classifier(args.data, args.val, args.out, recipe, device=args.device, force=args.force)
    for name, value in measured.items():
        sys.stderr.write(f"{name} {value:.4f}\n")
    sys.stderr.write(f"score with: FOLEYBENCH_WEIGHTS={args.out} foleybench eval --protocol align_trained ...\n")
    sys.stdout.write(f"{args.out}\n")
    return EXIT_OK


def _make_copying_index(args: argparse.Namespace) -> int:
    from foleybench.evaluators.copying import build_copying_index

    for name, value in build_copying_index(args.data, args.val, args.out, args.seed).items():
        sys.stderr.write(f"{name} {value:.5f}\n")
    sys.stderr.write(f"score with: FOLEYBENCH_WEIGHTS={args.out} foleybench eval --metric copying_share ...\n")
    sys.stdout.write(f"{args.out}\n")
    return EXIT_OK


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise FoleyError(f"--set {text!r}: write it as NAME=VALUE.")
    return name, value
