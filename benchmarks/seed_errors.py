"""How often a table of rows with few training seeds names a pair, on simulated rows with a known truth.

Fourteen kinds of networks tell how seeds vary, three seeds each. The rows of a table are equal, or one of two differs
by four standard deviations of a run, and all pairs are compared as ``foleybench reproduce`` does it, Holm-corrected.

    OMP_NUM_THREADS=1 python benchmarks/seed_errors.py > benchmarks/results/seed_errors.md
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from typing import NamedTuple

import numpy as np

from foleybench.leaderboard.significance import ALPHA
from foleybench.reproduce.measure import between_seeds, difference_over_seeds
from foleybench.stats.moderated import Variance, common_law
from foleybench.stats.ranking import holm

N_KINDS, SEEDS_OF_KINDS, N_VIDEOS = 14, 3, 350
FAR = 4.0


class Case(NamedTuple):
    """What is simulated.

    Attributes:
        spread: Standard deviation of the logarithm of a network's variance between seeds.
        n_seeds: Training seeds of a row.
        n_rows: Rows of the table.
        clips: Variance of a row's value by the choice of clips, in units of the variance between seeds.
    """

    spread: float
    n_seeds: int
    n_rows: int
    clips: float


def main() -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=500, help="simulated tables a line (default: 500)")
    parser.add_argument("--seed", type=int, default=0, help="seed (default: 0)")
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    sys.stdout.write(HEAD.format(sets=args.sets, kinds=N_KINDS, seeds=SEEDS_OF_KINDS, far=FAR))
    for words in itertools.product((0.0, 0.5, 0.75, 1.0), (2, 3), (4, 10), (0.05, 0.5)):
        case = Case(*words)
        shares = np.mean([simulated_table(case, rng) for _ in range(args.sets)], axis=0)
        sys.stdout.write(f"| {' | '.join(map(str, words))} | {' | '.join(f'{100 * one:.1f}' for one in shares)} |\n")
        sys.stdout.flush()
    return 0


def simulated_table(case: Case, rng: np.random.Generator) -> list[float]:
    """Simulate a table of equal rows and one of two levels, each tested by own variances and by moderated ones.

    Returns:
        Own, moderated: whether a pair of equal rows is named; then own, moderated: the share of differing pairs named.
    """
    true = np.exp(rng.normal(0, case.spread, N_KINDS + case.n_rows))
    freedom = SEEDS_OF_KINDS - 1
    law = common_law([Variance(v, freedom) for v in true[:N_KINDS] * rng.chisquare(freedom, N_KINDS) / freedom])
    rows = rng.normal(0, np.sqrt(true[N_KINDS:, None]), (case.n_rows, case.n_seeds))
    rows += rng.normal(0, math.sqrt(case.clips), (case.n_rows, 1))
    change = np.tile([1.0, -1.0], N_VIDEOS // 2) * math.sqrt(2 * case.clips / N_VIDEOS)
    laws = (None, law.of_two())
    named = [any(_named(rows, change, one)) for one in laws]
    far = np.arange(case.n_rows) % 2
    differs = [far[i] != far[j] for i, j in _pairs(case.n_rows)]
    found = [np.mean(np.array(_named(rows + FAR * far[:, None], change, one))[differs]) for one in laws]
    return [*map(float, named), *map(float, found)]


def _pairs(n_rows: int) -> list[tuple[int, int]]:
    return list(itertools.combinations(range(n_rows), 2))


def _named(rows: np.ndarray, change: np.ndarray, law: object) -> list[bool]:
    """Return of every pair whether it is called different."""
    gaps = [rows[i] - rows[j] for i, j in _pairs(len(rows))]
    p_values = [difference_over_seeds(gap, change, between_seeds(gap, law)).p_value for gap in gaps]
    return [p < ALPHA for p in holm(p_values)]


HEAD = """\
# Errors of tables with few training seeds

Per cent of simulated tables of equal rows in which any pair is called different (5 % wanted), and per cent of the pairs
found that differ by {far:g} standard deviations of a run, Holm-corrected over all pairs: by each pair's own variance
between seeds, and by one that is drawn towards what {kinds} kinds of networks with {seeds} seeds have in common
(`foleybench.stats.moderated`), as `foleybench reproduce` does it. The spread is the standard deviation of the logarithm
of the networks' true variances; the variance by clips is in units of that between seeds. {sets} tables a line, by

```
python benchmarks/seed_errors.py > benchmarks/results/seed_errors.md
```

| Spread | Seeds | Rows | Clips | equal, own (%) | equal, moderated (%) | found, own (%) | found, moderated (%) |
|---:|---:|---:|---:|---:|---:|---:|---:|
"""


if __name__ == "__main__":
    sys.exit(main())
