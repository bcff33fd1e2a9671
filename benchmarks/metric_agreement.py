"""Metrics: our value against the peer's own function on fresh random inputs, for every metric under every preset.

Writes a table in Markdown. ``PEERS`` holds checkouts of the peers' repositories, each in a folder ``owner+name``; a
case whose checkout or library is absent is reported as such. Ends with 1 when a case is over its tolerance, 3 when one
could not run. The onset cases need librosa and scikit-learn.

    python benchmarks/metric_agreement.py --peers PEERS --out benchmarks/results/metric_agreement.md
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import zlib
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.modules.setdefault("coverage", None)  # type: ignore[arg-type]  # numba would take coverage.py of this folder for it
from metric_cases import SHARED, Case  # noqa: E402 (the folder of this script is no package)

HEAD = (
    "| metric | preset | peer | its function | ours | theirs | relative difference | tolerance | |\n"
    "|--|--|--|--|--:|--:|--:|--:|--|"
)


def cases() -> list[Case]:
    """Return the cases of all files in ``metric_cases/``."""
    files = sorted((HERE / "metric_cases").glob("[!_]*.py"))
    return [case for file in files for case in importlib.import_module(f"metric_cases.{file.stem}").CASES]


def row(case: Case, peers: Path, seed: int) -> tuple[str, int]:
    """Return a case's line of the table and its exit code."""
    checkout = peers / case.peer.replace("/", "+")
    head = f"| {case.metric} | {case.protocol} | {case.peer} | {case.function} |"
    if "/" in case.peer and not checkout.is_dir():
        return f"{head} | | | | no checkout |", 3
    rng = np.random.default_rng([seed, zlib.crc32(f"{case.metric}{case.protocol}{case.peer}{case.function}".encode())])
    try:
        ours, theirs = case.measure(checkout, rng)
    except ImportError as error:
        return f"{head} | | | | {error} |", 3
    difference = abs(ours - theirs) / max(abs(theirs), 1e-300)
    figures = f" {ours:.10g} | {theirs:.10g} | {difference:.1e} |"
    if case.tolerance is None:
        return f"{head}{figures} | on purpose: {case.reason} |", 0
    code = int(not difference <= case.tolerance)
    return f"{head}{figures} {case.tolerance:.0e} | {'OVER' if code else 'ok'} |", code


def main() -> int:
    """Compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, required=True, help="folder of the peers' checkouts")
    parser.add_argument("--metric", nargs="*", default=[], help="only these metrics")
    parser.add_argument("--seed", type=int, default=None, help="seed of the inputs (default: the clock, so fresh ones)")
    parser.add_argument("--out", type=Path, help="write the table there")
    args = parser.parse_args()
    seed = int(time.time()) if args.seed is None else args.seed
    SHARED["seed"] = seed
    lines, codes = [HEAD], []
    print(HEAD)
    for case in cases():
        if args.metric and case.metric not in args.metric:
            continue
        line, code = row(case, args.peers, seed)
        print(line, flush=True)
        lines.append(line)
        codes.append(code)
    if args.out:
        command = "python benchmarks/metric_agreement.py --peers PEERS --out benchmarks/results/metric_agreement.md"
        words = f"# Metrics against the peers' own functions\n\nMade by `{command} --seed {seed}`.\n\n"
        args.out.write_text(words + "\n".join(lines) + "\n", encoding="utf-8")
    return 1 if 1 in codes else max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main())
