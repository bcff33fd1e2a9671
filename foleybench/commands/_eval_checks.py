"""Refuse what ``foleybench eval`` cannot do, before any work."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from foleybench.commands._options import choice_of, generation_settings
from foleybench.errors import FoleyError
from foleybench.runtime.precision import WHOLE

ALL = "all"


def pair_folders(args: argparse.Namespace) -> None:
    """List the real audio, match the generated audio, name files without a match; the listing becomes ``--data``."""
    from foleybench.commands._result_text import tell_pairing
    from foleybench.scoring import folders

    if args.data:
        raise FoleyError("--data and --reference both name the audio to compare with: give one.")
    named = args.names if args.audio else None
    pairing = folders.pair(args.audio, args.reference, names=named, dataset_name=args.dataset_name, cache=args.cache)
    args.data = pairing.listed.manifest
    tell_pairing(pairing, sys.stderr)


def check_readable(args: argparse.Namespace) -> None:
    """Refuse folders of audio or features that cannot be listed.

    Raises:
        FoleyError: Names the folder.
    """
    from foleybench.files import require_readable

    for option in ("audio", "avbench_cache", "gt_cache"):
        folder = getattr(args, option)
        if folder and folder.is_dir():  # a missing folder is reported later
            require_readable(folder, f"--{option.replace('_', '-')}")


def check_places(args: argparse.Namespace) -> None:
    """Refuse a name that cannot be part of a file name, and folders that cannot be written to, before any work.

    Raises:
        FoleyError: Names the fault, and what to do.
    """
    from foleybench.artefacts import audio_folder, result
    from foleybench.files import require_writable

    _check_together(args)
    folder = args.audio or args.avbench_cache
    if args.audio and args.reference and not args.name:
        args.name = _name_of(args.audio)
    if folder:
        generation = audio_folder.read_generation(folder) if args.audio else None
        result.require_safe_name(row_card(generation, args.name, folder, None)["name"], "the name of the row,")
    elif args.model:
        result.require_safe_name(generation_settings(args, args.model).row_name, "the name of the row,")
    require_writable(args.out, "--out")
    if args.csv:
        require_writable(args.csv.parent, "--csv")
    if args.model or args.controls:
        require_writable(args.work, "--work")


def _check_together(args: argparse.Namespace) -> None:
    """Refuse options that do not go together.

    Raises:
        FoleyError: Which, and what to leave out.
    """
    if args.match_bandwidth and (args.avbench_cache or args.protocol == ALL):
        other = "--avbench-cache" if args.avbench_cache else f"--protocol {ALL}"
        raise FoleyError(f"--match-bandwidth scores sound under one protocol: leave {other} out.")
    if args.precision != WHOLE and (args.avbench_cache or args.csv):
        other = "--avbench-cache, whose features are made" if args.avbench_cache else "--csv, which cannot say so"
        raise FoleyError(f"--precision {args.precision} makes a draft: leave out {other}.")
    if args.controls and args.csv:
        raise FoleyError("--csv is for one row: leave it out with --controls.")
    if args.controls and args.name:
        raise FoleyError("--controls has a name for every row: leave --name out.")


def _name_of(folder: Path) -> str:
    """Return the name of the row for a folder scored with ``--reference``: the folder's, made safe."""
    from foleybench.artefacts import audio_folder
    from foleybench.media.folder import plain_name

    return "" if audio_folder.read_generation(folder) else plain_name(folder)


def check_choice(args: argparse.Namespace) -> tuple[str | None, tuple[str, ...]]:
    """Return protocol and metrics, loaded once so that faults are reported before any work.

    Raises:
        FoleyError: A name does not exist, a file has a fault, weights are missing, or they are for other data.
    """
    from foleybench.load import load_model
    from foleybench.scoring.captions import captions_told
    from foleybench.scoring.choice import choose
    from foleybench.scoring.fitting_protocol import fitting, refuse_other_data
    from foleybench.scoring.weights_here import require_weights
    from foleybench.shards.folder_dataset import open_dataset

    if args.model:
        load_model(args.model)
    protocol, metrics = choice_of(args)
    if protocol == ALL:
        if metrics:
            raise FoleyError(f"--metric goes with one protocol or none, not with `--protocol {ALL}`.")
        return ALL, ()
    if args.dry_run and not args.data.is_file():
        # Names are looked up even without data.
        require_weights(choose(protocol or (None if metrics else "signal"), metrics).metrics)
        return protocol or (None if metrics else "the protocol that fits it"), metrics
    data = open_dataset(args.data)
    data.require_clips()
    if protocol is None and not metrics:
        protocol, because = fitting(data, captions=args.captions is not None)
        sys.stderr.write(f"{because}\n")
    choice = choose(protocol, metrics)
    refuse_other_data(choice, data)
    if args.captions:
        sys.stderr.writelines(f"{line}\n" for line in captions_told(args.captions, data, choice.metrics.values()))
    require_weights(choice.metrics)
    return protocol, metrics


def row_card(generation: dict[str, Any] | None, name: str, audio: Path, model: str | None) -> dict[str, Any]:
    """Return the result's ``model`` section: from ``generation.json``, else from the user's options."""
    if generation:
        return {**generation["model"], **({"name": name} if name else {})}
    if model:
        raise FoleyError(f"{audio} has no generation.json although {model} was just run; run it again with --force.")
    from foleybench.scoring.folders import model_card

    title = name or audio.resolve().name
    return model_card(title, title)
