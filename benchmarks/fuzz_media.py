"""Fuzz of all that reads media: broken files of eight containers, each read as `eval` and `prepare` read them.

Children do the reading, so that a crash or a hang costs one input. Counts how inputs ended, uncaught exceptions,
hangs, crashes, the slowest input, the most memory, and by container how many sounds changed without a word. FLAC, Ogg
and the MKV of FFmpeg hold checksums of what is heard; in the others nothing is there to tell such a change by, so that
these are counted apart. Ends with 1 when there was a traceback, a hang, a crash, more memory than allowed, or a silent
change of a sound that has a checksum.

    python -m benchmarks.fuzz_media --inputs 10000 [--seed 0] [--time-limit 20] [--memory-mb 700]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import select
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from tests.fuzz_media import CHECKED, KINDS, Fuzzer

_BATCH = 400


def main() -> int:
    """Fuzz, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=1000, help="broken files (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of the breaking (default: 0)")
    parser.add_argument("--time-limit", type=float, default=20.0, help="seconds for one file (default: 20)")
    parser.add_argument("--memory-mb", type=int, default=700, help="memory of a child (default: 700)")
    parser.add_argument("--child", type=int, nargs=2, metavar=("FIRST", "N"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    return child(args.seed, *args.child) if args.child else parent(args)


def child(seed: int, first: int, n: int) -> int:
    """Read inputs; write one JSON line each."""
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = Fuzzer(Path(folder), seed)
        for number in range(first, first + n):
            try:
                record = dataclasses.asdict(fuzzer(number))
            except Exception:  # noqa: BLE001 - anything that a reader does not turn into a MediaError is counted
                record = {"uncaught": traceback.format_exc()[-1500:], "container": list(KINDS)[number % len(KINDS)]}
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            sys.stdout.write(json.dumps({**record, "number": number, "peak_mb": peak_mb}) + "\n")
            sys.stdout.flush()
    return 0


def parent(args: argparse.Namespace) -> int:
    """Run children over all inputs; one that dies or hangs is followed by another, from the next input on."""
    ended: list[dict] = []
    while len(ended) < args.inputs:
        words = ["--seed", str(args.seed), "--child", str(len(ended)), str(min(_BATCH, args.inputs - len(ended)))]
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.fuzz_media", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            n_wanted = len(ended) + int(words[-1])
            while len(ended) < n_wanted:
                ready, _, _ = select.select([process.stdout], [], [], args.time_limit + 30 * (len(ended) % _BATCH == 0))
                line = process.stdout.readline() if ready else b""
                if not line:
                    how = "crash" if ready else "hang"
                    ended.append({how: True, "number": len(ended), "container": list(KINDS)[len(ended) % len(KINDS)]})
                    process.kill()
                    break
                ended.append(json.loads(line))
        print(f"  {len(ended)} done", file=sys.stderr, flush=True)
    return tell(ended, args)


def tell(ended: list[dict], args: argparse.Namespace) -> int:
    """Print the table; return 1 when something is not as it must be."""
    print(f"{len(ended)} inputs, seed {args.seed}")
    print("| container | inputs | read | told | changed, not told | no checksum to tell by | refused | uncaught |"
          " hangs | crashes |")  # fmt: skip
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for kind in KINDS:
        mine = [one for one in ended if one["container"] == kind]
        read = [one for one in mine if one.get("status") == "ok"]
        told, changed = sum(bool(one["remarks"]) for one in read), sum(one["changed"] for one in read)
        faults = [sum(key in one for one in mine) for key in ("uncaught", "hang", "crash")]
        silent = [changed, "-"] if kind in CHECKED else [0, changed]
        cells = [kind, len(mine), len(read), told, *silent, len(mine) - len(read) - sum(faults), *faults]
        print(f"| {' | '.join(map(str, cells))} |")
    print("refused as:", ", ".join(f"{n} {s}" for s, n in Counter(one.get("status") for one in ended).most_common()))
    slowest = max((one for one in ended if "seconds" in one), key=lambda one: one["seconds"])
    peak_mb = max(one.get("peak_mb", 0.0) for one in ended)
    print(
        f"slowest {slowest['seconds']:.2f} s ({slowest['container']}, {slowest['mutation']}); memory {peak_mb:.0f} MB"
    )
    bad = [one for one in ended if {"uncaught", "hang", "crash"} & one.keys()]
    bad += [one for one in ended if one.get("changed") and one["container"] in CHECKED]
    for one in bad[:20]:
        print(f"BAD: {one}")
    return int(bool(bad) or peak_mb > args.memory_mb)


if __name__ == "__main__":
    sys.exit(main())
