"""``foleybench weights``: list, fetch, verify and accept pretrained weights."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from foleybench import registry
from foleybench.errors import (
    EXIT_ERROR,
    EXIT_OK,
    FoleyError,
    UnknownNameError,
    WeightsMissingError,
    WrongWeightsError,
    unknown,
)

if TYPE_CHECKING:
    from foleybench.api.weights import Weights

HELP = "list, fetch, verify or accept the pretrained weights of the encoders"
EXAMPLE = "foleybench weights fetch vggish"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("action", choices=("list", "fetch", "verify", "accept"), help="what to do")
    parser.add_argument(
        "encoder", nargs="*", help="encoders; default: all that have weights (fetch: that are published)"
    )
    parser.add_argument("--dry-run", action="store_true", help="fetch: say what would be downloaded, and fetch nothing")


def run(args: argparse.Namespace) -> int:
    """Run the action for every named encoder; 1 when a file is absent, wrong or cannot be fetched."""
    known = _weights()
    chosen = {name: weights for name, weights in known.items() if not args.encoder or name in args.encoder}
    strange = sorted(set(args.encoder) - set(chosen))
    if strange:
        raise UnknownNameError(unknown("encoder with weights", strange[0], known))
    if args.action == "list":
        return _list(chosen)
    if args.action == "fetch" and not args.encoder:
        chosen = {name: weights for name, weights in chosen.items() if _origin(weights)}
    if args.action == "accept" and not args.encoder:
        raise FoleyError("name the encoders whose weights are to be used as they are.")
    return max((_attempt(args, name, weights) for name, weights in chosen.items()), default=EXIT_OK)


def _attempt(args: argparse.Namespace, name: str, weights: Weights) -> int:
    """Run the action for one encoder; print its error, so that the next encoder has its turn."""
    try:
        line = _ACTIONS[args.action](name, weights, args.dry_run)
    except WeightsMissingError as error:
        sys.stdout.write(f"{name:20}absent  {error}\n")
        return EXIT_ERROR
    except FoleyError as error:
        sys.stdout.write(f"{name:20}wrong   {error}\n")
        return EXIT_ERROR
    sys.stdout.write(f"{name:20}{line}\n")
    return EXIT_OK


def _weights() -> dict[str, Weights]:
    loaded = {name: registry.load("encoders", name) for name in registry.names("encoders")}
    return {name: encoder.weights for name, encoder in loaded.items() if encoder.weights}


def _list(chosen: Collection[str]) -> int:
    """Print each file once, whichever encoders share it."""
    from foleybench.scoring.weights_catalogue import size_text, weights_files

    for file in weights_files():
        if not set(file.encoders) & set(chosen):
            continue
        weights = file.weights
        state = "here" if weights.path.is_file() else "absent"
        shipped = "shipped, " if weights.packaged_at == weights.path.parent else ""
        lines = [f"{weights.filename}: {state}, {size_text(weights)}, {weights.licence}"]
        lines.append(f"  encoders   {', '.join(file.encoders)}")
        lines.append(f"  protocols  {', '.join(file.protocols) or 'none yet'}")
        lines.append(f"  from       {_origin(weights) or f'{shipped}made by `{weights.made_by}`'}")
        lines += [f"  hash       {_hash_text(weights)}"] * weights.hashed
        sys.stdout.write("\n".join(lines) + "\n")
    return EXIT_OK


def _origin(weights: Weights) -> str:
    """Return where published weights come from, "" for those that are not."""
    wheel = weights.wheel
    return f"{wheel.member} in the package {wheel.requirement}, through pip" if wheel else weights.url or ""


def _hash_text(weights: Weights) -> str:
    found = f"SHA-256 {weights.sha256}" if weights.sha256 else f"MD5 {weights.md5}"
    return f"{found}, reported by {weights.reported_by}" if weights.reported_by else f"{found}, published"


def _verify(name: str, weights: Weights, dry_run: bool) -> str:
    from foleybench.api.weights import require
    from foleybench.files import file_sha256

    path = require(name, weights)
    registry.load("encoders", name).build("cpu")
    return f"ok      {file_sha256(path)}"


def _accept(name: str, weights: Weights, dry_run: bool) -> str:
    """Accept a file that is not the known one but holds the net's tensors, also one that was set aside."""
    from foleybench.api.weights import accept, forget_acceptance
    from foleybench.runtime.download import refused_name

    aside = refused_name(weights.path)
    if not weights.path.is_file() and not aside.is_file():
        raise FoleyError(f"there is no {weights.path}. Put the file there first.")
    if dry_run:
        return f"would accept {weights.path if weights.path.is_file() else aside}"
    if not weights.path.is_file():
        aside.rename(weights.path)
    digest = accept(weights)
    try:
        registry.load("encoders", name).build("cpu")
    except WrongWeightsError:
        forget_acceptance(weights)
        raise
    return f"accepted {digest}"


def _fetch(name: str, weights: Weights, dry_run: bool) -> str:
    from foleybench.scoring.weights_catalogue import size_text

    if weights.path.is_file():
        try:
            return _verify(name, weights, dry_run)
        except WrongWeightsError as error:
            if not _origin(weights) or dry_run:
                raise
            _set_aside(weights.path, error)
    if not _origin(weights):
        raise FoleyError(f"weights of {name!r} are not downloaded; make them with `{weights.made_by}`.")
    if dry_run:
        return f"would download {_origin(weights)} ({size_text(weights)})"
    _download(weights)
    try:
        return _verify(name, weights, dry_run)
    except WrongWeightsError as error:
        _set_aside(weights.path, error)
        raise


def _download(weights: Weights) -> None:
    if weights.wheel:
        from foleybench.scoring.wheel_weights import fetch_from_wheel

        fetch_from_wheel(weights, _tell)
        return
    from foleybench.api.weights import check_weights
    from foleybench.runtime.download import WrongContentError, download_file

    def checked(part: Path) -> None:
        try:
            check_weights(part, weights)
        except WrongWeightsError as error:
            raise WrongContentError(str(error)) from error

    assert weights.url
    download_file(
        weights.url, weights.path, size_bytes=weights.size_bytes, check=checked, hashed=weights.hashed, tell=_tell
    )


def _set_aside(path: Path, error: FoleyError) -> None:
    from foleybench.runtime.download import refused_name

    aside = refused_name(path)
    path.replace(aside)
    _tell(f"{error} It is set aside as {aside.name}.")


def _tell(sentence: str) -> None:
    sys.stderr.write(f"foleybench: {sentence}\n")


_ACTIONS = {"fetch": _fetch, "verify": _verify, "accept": _accept}
