"""Broken media through `foleybench prepare`: how each file ends, the slowest, and the most memory of a worker.

Good files of FOLDER (those that normalise, up to --largest-kb) are broken in eleven ways (tests/mutated_media.py) and
prepared with one worker under the limits given. Ends with 1 when a file has no status or no reason, a worker crashed,
a time limit was needed, or a worker held more memory than allowed.

    python -m benchmarks.mutated_media FOLDER [--n 2000] [--seed 0] [--clip-seconds 10] [--largest-kb 1500]
"""

from __future__ import annotations

import argparse
import dataclasses
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from foleybench.api.dataset import PROFILES
from foleybench.errors import MediaError
from foleybench.prepare import parse_options
from foleybench.prepare.load_dataset import load_dataset
from foleybench.prepare.normalise.normalise import normalise
from foleybench.prepare.obtain.local import VIDEO_ENDINGS
from foleybench.prepare.staging import staged_outcome
from foleybench.prepare.worker_pool import PoolSettings, Task, run_tasks
from tests.mutated_media import mutate


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ended:
    """How one file ended."""

    mutation: str
    source: str
    status: str
    reason: str
    seconds: float


def main() -> int:
    """Break, prepare, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of good media files")
    parser.add_argument("--n", type=int, default=2000, help="broken files (default: 2000)")
    parser.add_argument("--seed", type=int, default=0, help="of the breaking (default: 0)")
    parser.add_argument("--largest-kb", type=int, default=1500, help="leave larger files out (default: 1500)")
    parser.add_argument("--clip-seconds", type=float, default=10.0, help="length of a clip (default: 10)")
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds for one file (default: 60)")
    parser.add_argument("--memory-mb", type=int, default=1024, help="memory of a worker (default: 1024)")
    args = parser.parse_args()
    good = [path for path in sorted(args.folder.rglob("*")) if is_good(path, args.largest_kb)]
    print(f"{len(good)} good files, {args.n} broken ones from them, seed {args.seed}")
    with tempfile.TemporaryDirectory() as folder:
        media, staged = Path(folder, "media"), Path(folder, "staged")
        media.mkdir()
        staged.mkdir()
        made = write_broken(good, media, args.n, args.seed)
        settings = PoolSettings(dataset="folder", jobs=1, time_limit_s=args.time_limit, memory_mb=args.memory_mb)
        ended = list(run(settings, media, staged, made, args.clip_seconds))
    return tell(ended, args)


def is_good(path: Path, largest_kb: int) -> bool:
    """Whether a file is small enough and normalises."""
    if path.suffix.lower() not in VIDEO_ENDINGS or path.stat().st_size > largest_kb << 10:
        return False
    try:
        normalise(path, PROFILES["default"])
    except MediaError:
        return False
    return True


def write_broken(good: list[Path], media: Path, n: int, seed: int) -> dict[str, tuple[str, str]]:
    """Write ``n`` broken files; return how each was broken and from what, by name."""
    made = {}
    for k in range(n):
        rng = np.random.default_rng((seed, k))
        source = good[int(rng.integers(len(good)))]
        name, data = mutate(source.read_bytes(), rng)
        path = media / f"m{k:05d}{source.suffix.lower()}"
        path.write_bytes(data)
        made[path.name] = (name, source.name)
    return made


def run(settings: PoolSettings, media: Path, staged: Path, made: dict[str, tuple[str, str]], clip_s: float):  # noqa: ANN201
    """Prepare every file with one worker; yield how each ended."""
    items = load_dataset("folder").items(parse_options("folder", [str(media), "--clip-seconds", f"{clip_s:g}"]))
    tasks = [Task(item=item, folder=staged) for item in items]
    before = time.monotonic()
    for k, (task, status) in enumerate(run_tasks(settings, tasks)):
        now = time.monotonic()
        outcome = staged_outcome(staged, task.item.clip_id)
        assert outcome.status == status
        mutation, source = made[task.item.source]
        yield Ended(mutation=mutation, source=source, status=status, reason=outcome.reason, seconds=now - before)
        for ending in ("mp4", "flac"):
            (staged / f"{task.item.clip_id}.{ending}").unlink(missing_ok=True)
        before = now
        if (k + 1) % 200 == 0:
            print(f"  {k + 1} done", flush=True)


def tell(ended: list[Ended], args: argparse.Namespace) -> int:
    """Print what happened; return 1 when something is not as it must be."""
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    slowest = max(ended, key=lambda one: one.seconds)
    print(f"{'status':20s} files   an example of a reason")
    for status, n in Counter(one.status for one in ended).most_common():
        example = next((one.reason for one in ended if one.status == status), "")
        print(f"{status:20s} {n:5d}   {example[:110]}")
    for mutation in sorted({one.mutation for one in ended}):
        counts = Counter(one.status for one in ended if one.mutation == mutation)
        print(f"{mutation:30s} {', '.join(f'{n} {status}' for status, n in counts.most_common())}")
    print(
        f"slowest {slowest.seconds:.2f} s ({slowest.source}, {slowest.mutation}, {slowest.status}); "
        f"most memory of a worker {peak_mb:.0f} MiB of {args.memory_mb} allowed"
    )
    unexplained = [one for one in ended if one.status != "ok" and not one.reason]
    bad = [one for one in ended if one.status in ("crashed", "timeout")] + unexplained
    for one in bad:
        print(f"BAD: {one}")
    return int(bool(bad) or len(ended) != args.n or peak_mb > args.memory_mb)


if __name__ == "__main__":
    sys.exit(main())
