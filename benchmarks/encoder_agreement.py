"""Encoders: the same random weights in the peer's own class and in ours, and how far apart what comes out is.

Prints one row a case. ``PEERS`` holds checkouts of the peers' repositories, each in a folder ``owner+name``; a case
whose checkout is absent is reported as such. Ends with 1 when a case is over its tolerance, 3 when one could not run.

    python benchmarks/encoder_agreement.py --peers PEERS
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import sys
import warnings
from pathlib import Path

import numpy as np
import torch

from foleybench import registry

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from agreement import Case  # noqa: E402 (the folder of this script is no package)

# The other scripts here must not pass for the modules that peers import: there is one called ``coverage``.
sys.path[:] = [folder for folder in sys.path if Path(folder).resolve() != HERE]


def cases() -> list[Case]:
    """Return the cases of all files in ``agreement/``."""
    files = sorted((HERE / "agreement").glob("[!_]*.py"))
    return [case for file in files for case in importlib.import_module(f"agreement.{file.stem}").CASES]


def row(case: Case, peers: Path) -> tuple[str, int]:
    """Return a case's line of the table and its exit code."""
    checkout = peers / case.peer.replace("/", "+")
    head = f"| {case.encoder} | {case.what} | {case.peer}"
    if not checkout.is_dir():
        return f"{head} | | | {case.tolerance:.0e} | no checkout at {checkout} |", 3
    with torch.inference_mode(), warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        ours, theirs = case.measure(checkout)
    if ours.shape != theirs.shape:
        return f"{head} | | | {case.tolerance:.0e} | shapes {ours.shape} and {theirs.shape} |", 1
    difference = float(np.abs(ours - theirs).max())
    code = int(not difference <= case.tolerance)  # NaN is over, too
    figures = f"{float(np.abs(theirs).max()):.3g} | {difference:.1e} | {case.tolerance:.0e}"
    return f"{head} | {figures} | {'OVER' if code else 'ok'} |", code


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, required=True, help="folder of the peers' checkouts")
    parser.add_argument("--encoder", nargs="*", default=[], help="only these encoders")
    args = parser.parse_args()
    chosen = [case for case in cases() if not args.encoder or case.encoder in args.encoder]
    unknown = sorted({case.encoder for case in chosen} - set(registry.names("encoders")))
    if unknown:
        raise SystemExit(f"cases for encoders that do not exist: {', '.join(unknown)}")
    print("| encoder | what | peer | largest output | largest difference | tolerance | |\n|--|--|--|--:|--:|--:|--|")
    worst = 0
    for case in chosen:
        line, code = row(case, args.peers)
        worst = max(worst, code) if 1 not in (worst, code) else 1
        print(line, flush=True)
    return worst


if __name__ == "__main__":
    sys.exit(main())
