"""How often intervals and p-values are right, and what is left of the bias of distances, on sets with known truths.

Five tables: intervals of means and rates; the paired test of two systems that do not differ, on equal and unequal
videos; standard errors of distances and scores against their true spread; their intervals; corrected values where clips
come from the same videos. Every line is kept in ``--state`` as soon as it is there, so a run that was stopped goes on.

    OMP_NUM_THREADS=1 python benchmarks/coverage.py --seed 0 > benchmarks/results/coverage.md
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from foleybench.api.metric import Metric, Pool, Stat
from foleybench.metrics._math.clip_ids import KEY, id_statistic
from foleybench.metrics._math.distances import FrechetPool, corrected_frechet
from foleybench.metrics._math.inception import InceptionPool, corrected_score
from foleybench.metrics._math.kernel import KernelPool
from foleybench.stats import estimate
from foleybench.stats.intervals import paired_test
from foleybench.stats.pools import Ratio

Values = npt.NDArray[np.float64]
Law = Callable[[np.random.Generator, int], Values]
Set = tuple[dict[str, Stat], dict[str, str]]

# Centred laws: the truth of each is 0.
LAWS: dict[str, Law] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "t, 3 degrees": lambda rng, n: rng.standard_t(3, size=n),
    "exponential": lambda rng, n: rng.exponential(size=n) - 1.0,
    "log-normal 0.8": lambda rng, n: rng.lognormal(0.0, 0.8, size=n) - np.exp(0.32),
    "log-normal 1": lambda rng, n: rng.lognormal(0.0, 1.0, size=n) - np.exp(0.5),
}
VIDEOS = {
    "20 + 39 x 1": [20] + [1] * 39,
    "40 + 39 x 1": [40] + [1] * 39,
    "100 + 39 x 1": [100] + [1] * 39,
    "Zipf over 30": [max(1, 60 // rank) for rank in range(1, 31)],
    "30 x 5": [5] * 30,
    "8 x 3": [3] * 8,
}
RATES = (0.5, 0.8, 0.95, 0.98)
# Fewer than `eval` draws: what that adds to a level is far below the error of the table.
DRAWS = 400


def metric_of(pool: Pool, **bounds: float) -> Metric:
    """Return a metric that is nothing but a pool and its bounds."""
    return Metric(
        title="simulated",
        version=1,
        unit="1",
        better="higher",
        ideal=bounds.get("ideal"),
        worst=bounds.get("worst"),
        source="foleybench",
        needs={},
        per_clip=lambda clip: None,
        pool=pool,
        undefined="",
    )


MEAN = metric_of(Ratio("x"))
RATE = metric_of(Ratio("x", counts=True), ideal=1.0, worst=0.0)
SHARE = metric_of(Ratio("hits", ("n",), counts=True), ideal=1.0, worst=0.0)


def set_of(sizes: Sequence[int], law: Law, rng: np.random.Generator, alike: float = 0.0) -> Set:
    """Return a number for each clip of videos of these sizes; ``alike`` is the correlation within a video."""
    found: dict[str, Stat] = {}
    sources = {}
    for video, size in enumerate(sizes):
        own = np.sqrt(alike) * law(rng, 1)[0] if alike else 0.0
        for clip, value in enumerate(own + np.sqrt(1 - alike) * law(rng, size)):
            name = f"{video:04d}_{clip:03d}"
            found[name], sources[name] = {"x": np.asarray(value)}, f"{video:04d}"
    return found, sources


def covers(metric: Metric, made: Set, truth: float, seed: int) -> bool | None:
    """Tell whether the interval holds the truth; None when there is no interval."""
    interval = estimate.interval_of("simulated", metric, *made, seed=seed, resamples=DRAWS)
    return None if interval is None else interval.low <= truth <= interval.high


def of_mean(law: str, n: int) -> Callable[[np.random.Generator], float]:
    """Return one trial of the interval of a mean of n videos."""
    return lambda rng: float(bool(covers(MEAN, set_of([1] * n, LAWS[law], rng), 0.0, int(rng.integers(2**31)))))


def of_rate(rate: float, sizes: Sequence[int], alike: float) -> Callable[[np.random.Generator], float]:
    """Return one trial of the interval of a rate; videos have rates of their own, beta distributed, where alike."""

    def trial(rng: np.random.Generator) -> float:
        rates = np.full(len(sizes), rate)
        if alike:
            rates = rng.beta(rate * (1 - alike) / alike, (1 - rate) * (1 - alike) / alike, len(sizes))
        found: dict[str, Stat] = {}
        sources = {}
        for video, (size, own) in enumerate(zip(sizes, rates, strict=True)):
            for clip, hit in enumerate(rng.random(size) < own):
                name = f"{video:04d}_{clip:03d}"
                found[name], sources[name] = {"x": np.asarray(float(hit))}, f"{video:04d}"
        return float(bool(covers(RATE, (found, sources), rate, int(rng.integers(2**31)))))

    return trial


def of_ratio(n: int) -> Callable[[np.random.Generator], float]:
    """Return one trial of a ratio of sums, like an onset F1: clips with few and with many events, 70 % of them hit."""

    def trial(rng: np.random.Generator) -> float:
        events = 1 + rng.geometric(0.15, n)
        hits = rng.binomial(events, rng.beta(7, 3, n))
        found = {f"{i:04d}": {"hits": np.asarray(float(h)), "n": np.asarray(float(e))} for i, (h, e) in
                 enumerate(zip(hits, events, strict=True))}  # fmt: skip
        return float(bool(covers(SHARE, (found, {i: i for i in found}), 0.7, int(rng.integers(2**31)))))

    return trial


def of_pair(law: str, sizes: Sequence[int], alike: float) -> Callable[[np.random.Generator], float]:
    """Return one trial of the paired test where the truth is no difference: whether it rejects, at 5 %."""

    def trial(rng: np.random.Generator) -> float:
        found, sources = set_of(sizes, LAWS[law], rng, alike)
        nothing = {clip_id: {"x": np.zeros(())} for clip_id in found}
        tested = paired_test(MEAN.pool, found, nothing, sources, rng=rng, draws=DRAWS)
        rejected = tested.p_value is not None and tested.p_value < 0.05
        if tested.low is not None and tested.high is not None and rejected != (tested.low > 0 or tested.high < 0):
            raise AssertionError(f"interval [{tested.low}, {tested.high}] and p {tested.p_value} contradict each other")
        return float(rejected)

    return trial


def embeddings(rng: np.random.Generator, n: int, width: int, clips: int = 1, alike: float = 0.0) -> Set:
    """Return reference and generated rows of n videos; the generated ones are moved and wider, but not where alike."""
    sides = {}
    for name, spread, shift in (("reference", 1.0, 0.0), ("generated", 1.3, 0.2)):
        own = np.sqrt(alike) * rng.normal(size=(n, 1, width))
        rows = own + np.sqrt(1 - alike) * rng.normal(size=(n, clips, width))
        sides[name] = rows if clips > 1 else spread * rows + shift
    found = {f"{v:04d}_{c:03d}": {s: rows[v, c][None] for s, rows in sides.items()} for v in range(n)
             for c in range(clips)}  # fmt: skip
    return found, {name: name[:4] for name in found}


def logits(rng: np.random.Generator, n: int, classes: int, clips: int = 1) -> Set:
    """Return logits of n videos: one strong class each, the same for all its clips, and noise."""
    found: dict[str, Stat] = {}
    for video in range(n):
        strong = 8.0 * (np.arange(classes) == rng.integers(0, classes // 2))
        for clip in range(clips):
            name = f"{video:04d}_{clip:03d}"
            found[name] = {"logits": strong + 2.0 * rng.normal(size=classes), KEY: id_statistic(name)}
    return found, {name: name[:4] for name in found}


@dataclasses.dataclass(frozen=True)
class Spread:
    """A line of the third and fourth table: a pool, and how its sets are made."""

    title: str
    pool: Pool
    make: Callable[[np.random.Generator], Set]

    def trial(self, rng: np.random.Generator) -> list[float]:
        """Return the value of a set, its standard error, and both ends of its interval."""
        made = self.make(rng)
        ids = sorted(made[0])
        value = self.pool([made[0][i] for i in ids])
        change = self.pool.influence([made[0][i] for i in ids]).change  # type: ignore[attr-defined]
        error = float(np.sqrt(np.sum(change**2) * len(ids) / (len(ids) - 1)))
        interval = estimate.interval_of("simulated", metric_of(self.pool), *made, resamples=DRAWS)
        return [value, error, *(interval or (np.nan, np.nan))]


def spreads() -> list[tuple[Spread, int]]:
    """Return the lines, with the largest number of sets that is cheap."""
    sizes = ((50, 16, 1000), (200, 16, 1000), (300, 150, 150), (200, 400, 100), (150, 600, 100), (500, 2048, 12))
    lines = [
        (Spread(f"Fréchet, n {n}, d {d}", FrechetPool(), lambda rng, n=n, d=d: embeddings(rng, n, d)), most)
        for n, d, most in sizes
    ]
    lines += [
        (Spread(f"kernel, n {n}, d {d}", KernelPool(), lambda rng, n=n, d=d: embeddings(rng, n, d)), most)
        for n, d, most in ((40, 16, 1000), (200, 64, 200))
    ]
    return lines + [
        (Spread(f"inception, n {n}, {c} classes", InceptionPool(), lambda rng, n=n, c=c: logits(rng, n, c)), most)
        for n, c, most in ((60, 50, 1000), (200, 527, 200), (1000, 527, 50))
    ]


def corrections() -> list[tuple[str, Callable[[np.random.Generator], list[float]], float]]:
    """Return the lines of the last table: title, trial (plain and corrected value) and truth."""
    lines = []
    for clips, alike in ((1, 0.0), (5, 0.5), (5, 0.9), (10, 0.8), (20, 0.8)):

        def frechet(rng: np.random.Generator, clips: int = clips, alike: float = alike) -> list[float]:
            made, sources = equal_laws(rng, 60, 16, clips, alike)
            listed = list(made.values())
            return [FrechetPool()(listed), corrected_frechet(listed, list(sources.values()))]

        lines.append((f"Fréchet, {clips} clips a video, correlation {alike:g}", frechet, 0.0))

    def kernel(rng: np.random.Generator) -> list[float]:
        made, sources = equal_laws(rng, 40, 16, 5, 0.9)
        listed = list(made.values())
        return [KernelPool()(listed), KernelPool().corrected(listed, list(sources.values()))]

    def inception(rng: np.random.Generator) -> list[float]:
        found: dict[str, Stat] = {}
        for video in range(40):
            strong = 50.0 * (np.arange(8) == rng.integers(0, 8))
            for clip in range(5):
                name = f"{video:04d}_{clip:03d}"
                found[name] = {"logits": strong, KEY: id_statistic(name)}
        listed = list(found.values())
        return [InceptionPool()(listed), corrected_score(listed, [name[:4] for name in found])]

    return [*lines, ("kernel, 5 clips a video, correlation 0.9", kernel, 0.0),
            ("inception, 8 classes, 5 equal clips a video", inception, 8.0)]  # fmt: skip


def equal_laws(rng: np.random.Generator, n: int, width: int, clips: int, alike: float) -> Set:
    """Return rows of n videos whose reference and generated side follow one law: the true distance is 0."""
    own = np.sqrt(alike) * rng.normal(size=(2, n, 1, width))
    rows = own + np.sqrt(1 - alike) * rng.normal(size=(2, n, clips, width))
    found = {f"{v:04d}_{c:03d}": {"reference": rows[0, v, c][None], "generated": rows[1, v, c][None]}
             for v in range(n) for c in range(clips)}  # fmt: skip
    return found, {name: name[:4] for name in found}


class Bench:
    """Runs trials and remembers each line.

    Attributes:
        sets: Most sets a line.
        seed: Of all sets.
    """

    def __init__(self, sets: int, seed: int, state: Path | None) -> None:
        self.sets, self.seed, self._state = sets, seed, state
        lines = state.read_text(encoding="utf-8").splitlines() if state and state.exists() else []
        self._known = {record["key"]: record["values"] for record in map(json.loads, lines)}

    def __call__(self, title: str, trial: Callable[[np.random.Generator], object], most: int = 10**9) -> Values:
        """Return what every set of a line gave, shape (sets, ...)."""
        sets = min(self.sets, most)
        key = f"{title} / {sets} sets / seed {self.seed}"
        if key not in self._known:
            spread = [sum(title.encode()), self.seed]
            found = [trial(np.random.default_rng([s, *spread])) for s in tqdm(range(sets), desc=title, disable=None)]
            self._known[key] = found
            if self._state:
                with self._state.open("a", encoding="utf-8") as handle:
                    handle.write(json.dumps({"key": key, "values": found}) + "\n")
        return np.asarray(self._known[key], dtype=np.float64)


def share(found: Values) -> str:
    """Return a share in percent."""
    return f"{100 * found.mean():.1f} %"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---", *("--:" for _ in heads[1:])], *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines) + "\n"


def of_intervals(bench: Bench) -> str:
    """Return how often intervals of means, rates and ratios hold the truth."""
    rows = []
    for n in (6, 7, 8, 10, 20, 50, 100):
        cells = [share(bench(f"mean {law}, {n}", of_mean(law, n))) for law in LAWS]
        cells += [share(bench(f"rate {p}, {n}", of_rate(p, [1] * n, 0.0))) for p in RATES]
        rows.append([str(n), *cells, share(bench(f"ratio, {n}", of_ratio(n)))])
    heads = ["videos", *LAWS, *(f"rate {100 * p:.0f} %" for p in RATES), "ratio of sums"]
    more = [
        [f"{title}, correlation {alike:g}",
         *(share(bench(f"rate {p} {title} {alike}", of_rate(p, sizes, alike))) for p in RATES)]
        for title, sizes in VIDEOS.items() for alike in (0.3,)
    ]  # fmt: skip
    return table(heads, rows) + "\nRates of several clips a video.\n\n" + table(["clips a video", *heads[6:10]], more)


def of_tests(bench: Bench) -> str:
    """Return how often the paired test rejects where nothing differs."""
    rows = [
        [str(n), *(share(bench(f"pair {law}, {n}", of_pair(law, [1] * n, 0.0))) for law in LAWS)]
        for n in (6, 8, 10, 20, 50)
    ]
    unequal = []
    for title, sizes in VIDEOS.items():
        cells = [share(bench(f"pair {title} {alike}", of_pair("normal", sizes, alike))) for alike in (0.0, 0.5)]
        cells.append(share(bench(f"pair {title} skewed", of_pair("exponential", sizes, 0.5))))
        unequal.append([title, *cells])
    heads = ["clips a video", "independent", "correlation 0.5", "the same, exponential"]
    return table(["videos", *LAWS], rows) + "\n" + table(heads, unequal)


def of_spreads(bench: Bench) -> str:
    """Return standard errors over true ones, and how often intervals hold the mean value of such sets."""
    rows = []
    for line, most in spreads():
        value, error, low, high = bench(line.title, line.trial, most).T
        held = np.mean((low <= value.mean()) & (value.mean() <= high))
        ratio = error.mean() / value.std(ddof=1)
        rows.append([line.title, str(len(value)), f"{ratio:.2f} ± {ratio / np.sqrt(2 * len(value)):.2f}",
                     f"{100 * held:.1f} %"])  # fmt: skip
    return table(["value", "sets", "standard error over true one", "interval holds its mean"], rows)


def of_corrections(bench: Bench) -> str:
    """Return which share of the bias corrections remove."""
    rows = []
    for title, trial, truth in corrections():
        plain, mended = bench(title, trial, 300).T
        bias, left = plain.mean() - truth, mended.mean() - truth
        error = mended.std(ddof=1) / np.sqrt(len(plain))
        removed = f"{100 * (1 - left / bias):.0f} %" if abs(bias) > 5 * error else "no bias"
        rows.append([title, f"{truth:g}", f"{plain.mean():.3f}", f"{mended.mean():.3f} ± {error:.3f}", removed])
    return table(["value", "truth", "plain", "corrected", "share of the bias removed"], rows)


PARTS: Mapping[str, tuple[str, Callable[[Bench], str]]] = {
    "intervals": ("Intervals: share that holds the truth", of_intervals),
    "tests": ("Paired tests at 5 %: share that rejects where nothing differs", of_tests),
    "distances": ("Distances and scores", of_spreads),
    "corrections": ("Corrected values where clips come from the same videos", of_corrections),
}


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=2000, help="most simulated sets a line (default: 2000)")
    parser.add_argument("--seed", type=int, default=0, help="of the sets (default: 0)")
    parser.add_argument("--state", type=Path, help="JSON lines of what is done; a stopped run goes on from it")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="which tables (default: all)")
    args = parser.parse_args()
    bench = Bench(args.sets, args.seed, args.state)
    print("# How often intervals and p-values are right\n\nMade by `python benchmarks/coverage.py "
          f"--parts {' '.join(args.parts)} --sets {args.sets} --seed {args.seed}`.")  # fmt: skip
    if {"intervals", "tests"} & set(args.parts):
        print(f"95 % and 5 % have a standard error of {100 * np.sqrt(0.95 * 0.05 / args.sets):.1f} % here.")
    for title, part in (PARTS[name] for name in args.parts):
        print(f"\n## {title}\n\n{part(bench)}", flush=True)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
