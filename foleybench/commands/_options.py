"""Options that several verbs share, with the same words everywhere."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from foleybench.errors import FoleyError

if TYPE_CHECKING:
    from foleybench.generation.folder import GenerationSettings
    from foleybench.lists.subsets import Subset

RESULTS = Path("leaderboards/results")
MOST_EVALUATIONS = 25
# The protocol without --protocol (``scoring.fitting_protocol``).
FITTING = "synth on SynthFoley, else the richest that runs here on these clips"


def add_data(parser: argparse._ActionsContainer, *, required: bool = True) -> None:
    """Add ``--data``."""
    parser.add_argument(
        "--data",
        type=manifest_in,
        required=required,
        metavar="MANIFEST",
        help="manifest of a prepared split, or the folder of a data set that has one split",
    )


def manifest_in(text: str) -> Path:
    """Return the manifest that a path names: itself, or the only one in a folder."""
    path = Path(text)
    if not path.is_dir():
        return path
    from foleybench.shards.manifest import SUFFIX

    found = sorted(path.glob(f"*{SUFFIX}"))
    if len(found) != 1:
        splits = ", ".join(one.name for one in found) or f"no *{SUFFIX}"
        raise argparse.ArgumentTypeError(f"{text} holds {splits}; name one manifest")
    return found[0]


def listed_manifest(path: Path) -> Path:
    """Return the manifest that ``--data`` means; a folder of media without one is listed first.

    Raises:
        FoleyError: The folder has several splits, or holds nothing.
    """
    from foleybench.scoring.folders import pair
    from foleybench.shards.manifest import SUFFIX

    if path.is_dir() and not any(path.glob(f"*{SUFFIX}")):
        return pair(None, path).listed.manifest
    try:
        return manifest_in(str(path))
    except argparse.ArgumentTypeError as error:
        raise FoleyError(f"--data {error}.") from error


def audio_pairs(words: Sequence[str], option: str) -> dict[str, Path]:
    """Return name -> path of words as ``mine=out/mine``.

    Raises:
        FoleyError: A word is no such pair, or a name comes twice.
    """
    found: dict[str, Path] = {}
    for word in words:
        name, equals, path = word.partition("=")
        if not (name and equals and path):
            raise FoleyError(f"{option} {word!r} is not NAME=PATH; write it as mine=out/mine.")
        if name in found:
            raise FoleyError(f"{option} names {name!r} twice; give each its own name.")
        found[name] = Path(path)
    return found


def whole_number(low: int, high: int | None = None) -> Callable[[str], int]:
    """Return a reader of whole numbers of a range, ends included, for ``type`` of an option."""

    def read(text: str) -> int:
        value = int(text)
        if value < low or (high is not None and value > high):
            wanted = f"from {low} to {high}" if high is not None else f"of at least {low}"
            raise argparse.ArgumentTypeError(f"{value} is out of range: a whole number {wanted} is wanted")
        return value

    read.__name__ = "whole number"  # argparse's name for the type in its message
    return read


def share_number(text: str) -> float:
    """Read a share, 0 to 1, for ``type`` of an option."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{value:g} is out of range: a share from 0 to 1 is wanted")
    return value


def add_choice(parser: argparse.ArgumentParser, default: str, more: str = "") -> None:
    """Add ``--protocol`` and ``--metric``; ``choice_of`` reads them.

    Args:
        parser: Gets the options.
        default: The protocol when neither is given.
        more: Further values of ``--protocol``, for its help.
    """
    parser.add_argument(
        "--protocol",
        help=f"a name from `foleybench list protocols`, or path/to/file.py:NAME (default: {default}){more}",
    )
    parser.add_argument(
        "--metric",
        action="append",
        metavar="NAME",
        help="score this metric (a name from `foleybench list metrics`, or path/to/file.py:NAME), and more when given "
        "again: with --protocol these alone of its own metrics, others beside them; without, on whole clips",
    )


def choice_of(args: argparse.Namespace) -> tuple[str | None, tuple[str, ...]]:
    """Return the protocol that ``add_choice``'s options name, None when they name none, and the metrics."""
    return args.protocol, tuple(args.metric or ())


def add_subset(parser: argparse.ArgumentParser) -> None:
    """Add ``--subset`` and ``--ids``."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--subset",
        metavar="NAME",
        help="only a named test subset: official, mmaudio, synchformer, vggsounder-1.0, vggsounder-0.1, common",
    )
    what.add_argument("--ids", type=Path, metavar="FILE", help="only the clips that this file names")


def subset_of(args: argparse.Namespace) -> Subset | None:
    """Return what ``add_subset``'s options name, or None."""
    from foleybench.lists import subsets

    if args.ids:
        return subsets.read_ids(args.ids)
    return subsets.load_subset(args.subset) if args.subset else None


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """Add the options that decide how a model is sampled."""
    parser.add_argument("--checkpoint", type=Path, help="checkpoint folder or file of a trained model")
    parser.add_argument(
        "--nfe",
        type=whole_number(1, MOST_EVALUATIONS),
        help=f"number of network evaluations (1 to {MOST_EVALUATIONS}); default: the model's own",
    )
    parser.add_argument("--guidance", type=float, help="classifier-free guidance scale; default: the model's own")
    parser.add_argument(
        "--sampler",
        choices=("euler", "heun", "dpm", "ddim"),
        help="how a flow (euler, heun) or a diffusion (dpm, ddim) is sampled; default: the model's own",
    )
    parser.add_argument(
        "--level-share",
        type=share_number,
        metavar="SHARE",
        help="how far a flow's sample follows the loudness over time of its first estimate, 0 to 1 (default: 0)",
    )
    parser.add_argument(
        "--vocoder", type=Path, metavar="DIR", help="vocoder from `foleybench train vocoder` (default: Griffin-Lim)"
    )
    parser.add_argument(
        "--batch",
        type=whole_number(1),
        default=1,
        metavar="N",
        help="clips of a data set at once, where the model can; the first 16 are still made one by one and timed "
        "(default: 1)",
    )
    parser.add_argument("--name", default="", help="name of the row in tables; default: the model's name")
    add_common(parser)


def generation_settings(args: argparse.Namespace, model: str) -> GenerationSettings:
    """Return the settings that ``add_sampling``'s options ask for."""
    from foleybench.generation.folder import GenerationSettings

    return GenerationSettings(
        model=model,
        name=args.name,
        checkpoint=args.checkpoint,
        seed=args.seed,
        device=args.device,
        nfe=args.nfe,
        guidance=args.guidance,
        sampler=args.sampler,
        level_share=args.level_share,
        vocoder=args.vocoder,
    )


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add ``--seed``, ``--device``, ``--force``."""
    parser.add_argument("--seed", type=whole_number(0), default=0, help="seed of every random choice (default: 0)")
    parser.add_argument(
        "--device", default="auto", help="torch device: cpu, cuda, cuda:1; auto (the default): CUDA where it is there"
    )
    parser.add_argument("--force", action="store_true", help="start over instead of going on from what is there")
