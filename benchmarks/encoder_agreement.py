"""Encoders: the same random weights in the peer's own class and in ours, and how far apart what comes out is.

Prints one row a case. ``PEERS`` holds checkouts of the peers' repositories, each in a folder ``owner+name``; a case
whose checkout is absent is reported as such, and so is one whose peer wants a module that is not installed (einops,
omegaconf, torchlibrosa, pyloudnorm; facebookresearch/pytorchvideo as a checkout at ae9cfc6). Ends with 1 when a case is
over its tolerance or fails, 3 when one could not run.

    python benchmarks/encoder_agreement.py --peers PEERS
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import subprocess
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
    try:
        with torch.inference_mode(), warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            ours, theirs = case.measure(checkout)
    except ModuleNotFoundError as error:
        return f"{head} | | | {case.tolerance:.0e} | the peer wants a module: {error} |", 3
    if ours.shape != theirs.shape:
        return f"{head} | | | {case.tolerance:.0e} | shapes {ours.shape} and {theirs.shape} |", 1
    difference = float(np.abs(ours - theirs).max())
    code = int(not difference <= case.tolerance)  # NaN is over, too
    figures = f"{float(np.abs(theirs).max()):.3g} | {difference:.1e} | {case.tolerance:.0e}"
    return f"{head} | {figures} | {'OVER' if code else 'ok'} |", code


def apart(number: int, case: Case, peers: Path) -> tuple[str, int]:
    """Return the same from a process of the case's own: peers share module names, and leave traces in each other."""
    command = [sys.executable, str(Path(__file__).resolve()), "--peers", str(peers), "--only", str(number)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.stdout.startswith("|"):
        return done.stdout.strip(), done.returncode
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return f"| {case.encoder} | {case.what} | {case.peer} | | | {case.tolerance:.0e} | failed: {last} |", 1


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, required=True, help="folder of the peers' checkouts")
    parser.add_argument("--encoder", nargs="*", default=[], help="only these encoders")
    parser.add_argument("--only", type=int, help="only the case of this number, in this process, without the head")
    args = parser.parse_args()
    known = list(enumerate(cases()))
    if args.only is not None:
        line, code = row(known[args.only][1], args.peers)
        print(line)
        return code
    unknown = sorted({case.encoder for _, case in known} - set(registry.names("encoders")))
    if unknown:
        raise SystemExit(f"cases for encoders that do not exist: {', '.join(unknown)}")
    print("| encoder | what | peer | largest output | largest difference | tolerance | |\n|--|--|--|--:|--:|--:|--|")
    codes = [0]
    for number, case in known:
        if not args.encoder or case.encoder in args.encoder:
            line, code = apart(number, case, args.peers)
            codes.append(code)
            print(line, flush=True)
    return 1 if 1 in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
