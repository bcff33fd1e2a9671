"""How often the 95 % intervals are right, and how biased the Fréchet distance and its corrections are.

Simulated test sets with a known truth. First table: the interval of a mean. Second: the interval of a Fréchet distance
against what it estimates at that number of clips (the mean distance of such samples), against the true distance, and,
moved to the corrected value, against the true distance; then the mean of the plain, the extrapolated and the
analytically corrected distance. Two frames a clip, so that rows of a clip hang together.

    OMP_NUM_THREADS=1 python benchmarks/coverage.py > benchmarks/results/coverage.md
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from foleybench.api.metric import Stat
from foleybench.metrics._math.distances import FrechetPool, corrected_frechet
from foleybench.metrics._math.frechet import analytic_bias
from foleybench.metrics._math.moments import Moments
from foleybench.stats import bootstrap
from foleybench.stats.pools import mean_of

Values = npt.NDArray[np.float64]
DRAWS: dict[str, tuple[Callable[[np.random.Generator, int], Values], float]] = {
    "normal": (lambda rng, n: rng.normal(size=n), 0.0),
    "hit or miss, 80 %": (lambda rng, n: (rng.random(n) < 0.8).astype(float), 0.8),
    "exponential": (lambda rng, n: rng.exponential(size=n), 1.0),
    "log-normal, sigma 0.8": (lambda rng, n: rng.lognormal(0.0, 0.8, size=n), float(np.exp(0.32))),
}


def coverage_of_means(n: int, sets: int, resamples: int) -> list[float]:
    """Return for each distribution the share of sets of ``n`` videos whose interval holds the true mean."""
    shares = []
    for draw, true in DRAWS.values():
        hits = 0
        for seed in range(sets):
            rng = np.random.default_rng([seed, n])
            found = {f"{i:05d}": {"x": np.asarray(v)} for i, v in enumerate(draw(rng, n))}
            names = {clip_id: clip_id for clip_id in found}
            interval = bootstrap.bootstrap(mean_of("x"), found, names, rng=rng, resamples=resamples)
            hits += interval is not None and interval.low <= true <= interval.high
        shares.append(hits / sets)
    return shares


def frechet_set(rng: np.random.Generator, n: int, width: int, scale: float) -> dict[str, Stat]:
    """Return the statistics of ``n`` clips whose generated rows are further spread and moved; true distance known."""
    clip_part, frame_part = np.sqrt(0.5), np.sqrt(0.5)
    sides = {}
    for name, spread, shift in (("reference", 1.0, 0.0), ("generated", scale, 0.2)):
        rows = clip_part * rng.normal(size=(n, 1, width)) + frame_part * rng.normal(size=(n, 2, width))
        sides[name] = spread * rows + shift
    return {f"{i:05d}": {name: rows[i] for name, rows in sides.items()} for i in range(n)}


def frechet_case(n: int, width: int, scale: float, sets: int, resamples: int, *, linear: bool) -> str:
    """Return a row of the second table."""
    pool, true = FrechetPool(budget=0.0 if linear else np.inf), width * ((scale - 1.0) ** 2 + 0.2**2)
    plain, mended, analytic, intervals = [], [], [], []
    for seed in tqdm(range(sets), desc=f"n={n} d={width}", disable=None):
        rng = np.random.default_rng([seed, n, width])
        found = frechet_set(rng, n, width, scale)
        listed = list(found.values())
        names = {clip_id: clip_id for clip_id in found}
        intervals.append(bootstrap.bootstrap(pool, found, names, rng=rng, resamples=resamples, centre=True))
        plain.append(pool(listed))
        mended.append(corrected_frechet(listed))
        one, two = (Moments.of(np.concatenate([s[name] for s in listed])) for name in ("reference", "generated"))
        analytic.append(plain[-1] - analytic_bias(one, two))
    expected = float(np.mean(plain))
    ends = np.array([tuple(interval) if interval else (np.nan, np.nan) for interval in intervals])
    moved = ends + (np.array(mended) - np.array(plain))[:, None]
    shares = [np.mean((e[:, 0] <= t) & (t <= e[:, 1])) for e, t in ((ends, expected), (ends, true), (moved, true))]
    means = [
        true,
        expected,
        float(np.mean(mended)),
        float(np.nanmean(analytic)) if not np.isnan(analytic).all() else None,
    ]
    cells = [str(n), str(width), "first order" if linear else "exact", *(f"{100 * share:.1f} %" for share in shares)]
    return "| " + " | ".join([*cells, *("singular" if m is None else f"{m:.3f}" for m in means)]) + " |"


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=2000, help="simulated test sets (default: 2000)")
    parser.add_argument("--frechet-sets", type=int, default=200, help="the same for the distance (default: 200)")
    parser.add_argument("--resamples", type=int, default=1000, help="bootstrap resamples (default: 1000)")
    args = parser.parse_args()
    print("# How often a 95 % interval is right\n\nMade by `" + " ".join(["python", *sys.argv]) + "`.\n")
    error = 100 * np.sqrt(0.95 * 0.05 / args.sets)
    print(f"Means, {args.sets} sets, {args.resamples} resamples: share of intervals that hold the true mean.")
    print(f"The standard error of a share of 95 % is {error:.1f} %.\n")
    print("| source videos | " + " | ".join(DRAWS) + " |\n|--:|" + "--:|" * len(DRAWS))
    for n in (10, 20, 50, 100, 300):
        shares = coverage_of_means(n, args.sets, args.resamples)
        print(f"| {n} | " + " | ".join(f"{100 * share:.1f} %" for share in shares) + " |", flush=True)
    print(f"\nFréchet distance of normal sets, {args.frechet_sets} sets, 300 resamples, two dependent rows a clip.\n")
    print("| clips | d | resampling | covers its mean | covers the truth | corrected covers the truth | truth ", end="")
    print("| plain | extrapolated | analytic |\n|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|")
    cases = ((50, 16, False), (200, 16, False), (200, 16, True), (1000, 16, False), (1000, 16, True))
    for n, width, linear in (*cases, (100, 128, False), (500, 128, False), (500, 128, True)):
        print(frechet_case(n, width, 1.3, args.frechet_sets, 300, linear=linear), flush=True)


if __name__ == "__main__":
    main()
