"""``foleybench weights``: list, fetch and verify pretrained weights."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from foleybench import registry
from foleybench.errors import EXIT_ERROR, EXIT_OK, FoleyError

if TYPE_CHECKING:
    from foleybench.api.weights import Weights

HELP = "list, fetch or verify the pretrained weights of the encoders"
EXAMPLE = "foleybench weights fetch vggish"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("action", choices=("list", "fetch", "verify"), help="what to do")
    parser.add_argument(
        "encoder", nargs="*", help="encoders; default: all that have weights (fetch: that are published)"
    )
    parser.add_argument("--dry-run", action="store_true", help="fetch: say what would be downloaded, and fetch nothing")


def run(args: argparse.Namespace) -> int:
    """Do it; ``verify`` ends with 1 when a file is absent or wrong."""
    known = _weights()
    chosen = {name: weights for name, weights in known.items() if not args.encoder or name in args.encoder}
    unknown = sorted(set(args.encoder) - set(chosen))
    if unknown:
        raise FoleyError(f"no weights for {', '.join(unknown)}; encoders with weights: {', '.join(known)}.")
    if args.action == "list":
        return _list(chosen)
    if args.action == "fetch" and not args.encoder:
        chosen = {name: weights for name, weights in chosen.items() if weights.url}
    codes = [_ACTIONS[args.action](name, weights, args.dry_run) for name, weights in chosen.items()]
    return max(codes, default=EXIT_OK)


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
        shipped = "shipped, " if weights.packaged_at else ""
        lines = [f"{weights.filename}: {state}, {size_text(weights)}, {weights.licence}"]
        lines.append(f"  encoders   {', '.join(file.encoders)}")
        lines.append(f"  protocols  {', '.join(file.protocols) or 'none yet'}")
        lines.append(f"  from       {weights.url or f'{shipped}made by `{weights.made_by}`'}")
        sys.stdout.write("\n".join(lines) + "\n")
    return EXIT_OK


def _verify(name: str, weights: Weights, dry_run: bool) -> int:
    from foleybench.api.weights import require
    from foleybench.files import file_sha256

    try:
        path = require(name, weights)
        registry.load("encoders", name).build("cpu")
    except FoleyError as error:
        sys.stdout.write(f"{name:20}wrong   {error}\n")
        return EXIT_ERROR
    sys.stdout.write(f"{name:20}ok      {file_sha256(path)}\n")
    return EXIT_OK


def _fetch(name: str, weights: Weights, dry_run: bool) -> int:
    if weights.path.is_file():
        return _verify(name, weights, dry_run)
    from foleybench.scoring.weights_catalogue import size_text

    if weights.url is None:
        raise FoleyError(f"weights of {name!r} are not downloaded; make them with `{weights.made_by}`.")
    if dry_run:
        sys.stdout.write(f"{name:20}would download {weights.url} ({size_text(weights)})\n")
        return EXIT_OK
    _download(weights.url, weights.path)
    return _verify(name, weights, dry_run)


def _download(url: str, path: Path) -> None:
    import urllib.error
    import urllib.request

    from foleybench.runtime.progress import Progress

    temporary = path.with_name(f".{path.name}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with urllib.request.urlopen(url, timeout=60) as answer, temporary.open("wb") as out:  # noqa: S310 (our own https table)
            total = int(answer.headers.get("Content-Length", 0)) or None
            with Progress(total=total, unit="B", unit_scale=True, desc=path.name) as bar:
                while block := answer.read(1 << 20):
                    out.write(block)
                    bar.update(len(block))
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise FoleyError(
            f"{url} could not be downloaded: {error}. Put the file at {path} by hand, or try again."
        ) from error
    temporary.replace(path)


_ACTIONS = {"fetch": _fetch, "verify": _verify}
