"""Damaged feature caches: every entry is absent or the one that was put, whatever happened to the file.

A store of a few features is damaged in the ways of `tests/damage.py` (bits, cuts, lost, repeated and zeroed parts,
noise, text), as a file and in single rows, then read, written and read again. Counts exceptions that nobody caught, and
features that came back different; both must be 0, else it ends with 1.

    python -m benchmarks.damaged_cache [--entries 10000] [--seed 0]
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import sqlite3
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np

from foleybench.api.encoder import Features
from foleybench.features.store import FeatureStore
from tests.damage import KINDS, damaged

FEATURES: dict[str, Features] = {
    "ab12": {"x": np.arange(12.0).reshape(3, 4), "y": np.arange(5, dtype=np.float32)},
    "cd34": {"x": np.linspace(0, 1, 700)},
    "ef56": {"x": np.zeros(0), "y": np.ones((2, 3), dtype=np.float16)},
}


def main() -> int:
    """Damage, read, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=10_000, help="damaged caches (default: 10000)")
    parser.add_argument("--seed", type=int, default=0, help="of the damage (default: 0)")
    args = parser.parse_args()
    counts: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "encoder.sqlite"
        store = FeatureStore(path)
        store.put(FEATURES)
        store.close()
        good = path.read_bytes()
        for number in range(args.entries):
            draw = np.random.default_rng((args.seed, number))
            for left in path.parent.iterdir():
                left.unlink()
            if number % 3 == 0:
                path.write_bytes(good)
                _damage_a_row(path, draw)
            else:
                path.write_bytes(damaged(good, draw, KINDS[number % len(KINDS)]))
            counts.update(_outcome(path))
    print(f"{args.entries} damaged caches of {len(FEATURES)} features, seed {args.seed}")
    for what in ("uncaught", "different", "absent", "same", "kept again", "not kept again"):
        print(f"{what}: {counts[what]}")
    return int(bool(counts["uncaught"] or counts["different"]))


def _damage_a_row(path: Path, draw: np.random.Generator) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        key = list(FEATURES)[int(draw.integers(len(FEATURES)))]
        column = ("digest", "content")[int(draw.integers(2))]
        data = connection.execute(f"SELECT {column} FROM features WHERE key = ?", [key]).fetchone()[0]
        changed: object = damaged(data, draw)
        if draw.random() < 0.2:
            changed = (None, 7, 0.5, "text")[int(draw.integers(4))]
        connection.execute(f"UPDATE features SET {column} = ? WHERE key = ?", [changed, key])


def _outcome(path: Path) -> collections.Counter[str]:
    """Read, write and read again; count what came back."""
    counts: collections.Counter[str] = collections.Counter()
    store = FeatureStore(path)
    try:
        counts.update(_compared(store.get(list(FEATURES))))
        with contextlib.suppress(OSError, sqlite3.Error):  # what the cache catches, and says once
            store.put({"new": {"x": np.arange(3.0)}})
        again = store.get(["new", *FEATURES])
        counts.update(_compared({key: value for key, value in again.items() if key != "new"}))
        counts["kept again" if "new" in again else "not kept again"] += 1
    except Exception:  # noqa: BLE001 - whatever a damaged cache raises is a fault, and is counted
        counts["uncaught"] += 1
        sys.stderr.write(traceback.format_exc()[-800:] + "\n")
    finally:
        store.close()
    return counts


def _compared(found: dict[str, Features]) -> collections.Counter[str]:
    counts: collections.Counter[str] = collections.Counter()
    for key, wanted in FEATURES.items():
        counts["absent" if key not in found else "same" if _equal(found[key], wanted) else "different"] += 1
    return counts


def _equal(one: Features, other: Features) -> bool:
    return set(one) == set(other) and all(
        one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name]) for name in other
    )


if __name__ == "__main__":
    sys.exit(main())
