"""How often a table of rows with few training seeds names a pair, on simulated rows with a known truth.

The rows are trained networks. They and others tell how seeds vary. They are equal, or one of two differs by four
standard deviations of a run, and all pairs of one column are compared as ``foleybench reproduce`` compares two
networks, Holm-corrected. A real table has several columns, corrected together, and rows without a network, whose
differences add the variances of both rows.

A second table has rows that sample the same networks, as the page of speed has: each seed has its luck in all rows,
which are compared with the last.

    OMP_NUM_THREADS=1 python benchmarks/seed_errors.py > benchmarks/results/seed_errors.md
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from foleybench.leaderboard.significance import ALPHA
from foleybench.reproduce.measure import between_seeds, difference_over_seeds
from foleybench.reproduce.same_networks import law_of_differences
from foleybench.stats.moderated import CommonLaw, Variance, common_law
from foleybench.stats.ranking import holm

Rows = Callable[[np.random.Generator, int], np.ndarray]
SEEDS_OF_KINDS, N_VIDEOS = 3, 350
FAR = 4.0


class Case(NamedTuple):
    """What is simulated.

    Attributes:
        spread: Standard deviation of the logarithm of a network's variance between seeds.
        n_seeds: Training seeds of a row.
        n_rows: Rows of the table.
        clips: Variance of a row's value by the choice of clips, in units of the variance between seeds.
        n_kinds: Kinds of networks that tell the law: the rows, as far as they go, and others with three seeds.
        outlier: How many times the others' standard deviation between seeds one row has.
    """

    spread: float
    n_seeds: int
    n_rows: int
    clips: float
    n_kinds: int = 14
    outlier: float = 1.0


CASES = [
    *(Case(*words) for words in itertools.product((0.0, 0.5, 0.75, 1.0), (2, 3), (4, 10), (0.05, 0.5))),
    Case(0.0, 3, 4, 0.05, n_kinds=3),
    Case(0.75, 3, 4, 0.05, n_kinds=3),
    Case(0.75, 3, 4, 0.05, n_kinds=5),
    Case(0.0, 3, 10, 0.05, outlier=2.5),
    Case(0.0, 3, 10, 0.05, outlier=4.0),
]


class Within(NamedTuple):
    """What is simulated of seven rows that sample the same networks, the last of which the others are compared with.

    Attributes:
        kind: How what is left without the luck of the networks varies between seeds (``ROWS``).
        n_seeds: Training seeds.
        clips: Variance of a row's value by the choice of clips, in units of the variance between seeds.
    """

    kind: str
    n_seeds: int
    clips: float


N_ROWS = 7
# Standard deviation of the luck that a network has in all rows; what is left of an ordinary row has 1.
LUCK = 4.0


def _varying(*deviations: float) -> Rows:
    """Return rows that vary independently, by these deviations."""
    return lambda rng, n_seeds: rng.normal(0, 1, (N_ROWS, n_seeds)) * np.array(deviations)[:, None]


def _heads_alike(rng: np.random.Generator, n_seeds: int) -> np.ndarray:
    """Return two rows that vary together, and five that hardly vary."""
    heads = 0.95 * rng.normal(0, 1, n_seeds) + 0.3 * rng.normal(0, 1, (2, n_seeds))
    return np.vstack([heads, 0.1 * rng.normal(0, 1, (N_ROWS - 2, n_seeds))])


def _fading_luck(rng: np.random.Generator, n_seeds: int) -> np.ndarray:
    """Return rows in which the luck of the networks counts less than in the last ones."""
    loads = np.array([-0.5, -0.5, -0.5, -0.2, -0.05, 0.0, 0.0])
    return loads[:, None] * rng.normal(0, LUCK, n_seeds) + 0.1 * rng.normal(0, 1, (N_ROWS, n_seeds))


ROWS: dict[str, Rows] = {
    "all alike": _varying(*[1.0] * N_ROWS),
    "two by 2.5": _varying(2.5, 2.5, *[1.0] * (N_ROWS - 2)),
    "the last by 2.5": _varying(*[1.0] * (N_ROWS - 1), 2.5),
    "two together, others by .1": _heads_alike,
    "luck that fades": _fading_luck,
}
WITHIN = [Within(*words) for words in itertools.product(ROWS, (2, 3), (0.02, 0.5))]


def main() -> int:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=500, help="simulated tables a line (default: 500)")
    parser.add_argument("--seed", type=int, default=0, help="seed (default: 0)")
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    sys.stdout.write(HEAD.format(sets=args.sets, far=FAR))
    for case in CASES:
        shares = np.mean([simulated_table(case, rng) for _ in range(args.sets)], axis=0)
        sys.stdout.write(f"| {' | '.join(map(str, case))} | {' | '.join(f'{100 * one:.1f}' for one in shares)} |\n")
        sys.stdout.flush()
    sys.stdout.write(HEAD_WITHIN)
    for within in WITHIN:
        shares = np.mean([simulated_page(within, rng) for _ in range(args.sets)], axis=0)
        sys.stdout.write(f"| {' | '.join(map(str, within))} | {' | '.join(f'{100 * one:.1f}' for one in shares)} |\n")
        sys.stdout.flush()
    return 0


def simulated_table(case: Case, rng: np.random.Generator) -> list[float]:
    """Simulate a table of equal rows and one of two levels, each tested by own variances and by moderated ones.

    Returns:
        Own, moderated: whether a pair of equal rows is named; then own, moderated: the share of differing pairs named.
    """
    true = np.exp(rng.normal(0, case.spread, case.n_rows))
    true[0] *= case.outlier**2
    rows = rng.normal(0, np.sqrt(true[:, None]), (case.n_rows, case.n_seeds))
    law = _law(case, rows, rng)
    rows += rng.normal(0, math.sqrt(case.clips), (case.n_rows, 1))
    change = np.tile([1.0, -1.0], N_VIDEOS // 2) * math.sqrt(2 * case.clips / N_VIDEOS)
    laws = (None, law.of_two())
    named = [any(_named(rows, change, one)) for one in laws]
    far = np.arange(case.n_rows) % 2
    differs = [far[i] != far[j] for i, j in _pairs(case.n_rows)]
    found = [np.mean(np.array(_named(rows + FAR * far[:, None], change, one))[differs]) for one in laws]
    return [*map(float, named), *map(float, found)]


def simulated_page(case: Within, rng: np.random.Generator) -> list[float]:
    """Simulate a page of rows of the same networks, and test each against the last by own variances and by the law.

    Returns:
        Own, law: whether a row of equal ones is named; then own, law: the share of rows found where all but the last
        lie four standard deviations off.
    """
    rows = ROWS[case.kind](rng, case.n_seeds) + rng.normal(0, LUCK, case.n_seeds)
    law = law_of_differences(rows)
    assert law is not None
    gaps = (rows - rows[-1])[:-1] + rng.normal(0, math.sqrt(2 * case.clips), (N_ROWS - 1, 1))
    change = np.tile([1.0, -1.0], N_VIDEOS // 2) * math.sqrt(2 * case.clips / N_VIDEOS)
    laws = (None, law)
    named = [any(_called_different(gaps, change, one)) for one in laws]
    found = [np.mean(_called_different(gaps + FAR, change, one)) for one in laws]
    return [*map(float, named), *map(float, found)]


def _law(case: Case, rows: np.ndarray, rng: np.random.Generator) -> CommonLaw:
    """Return the law that the rows' own seeds and those of other kinds tell."""
    kinds = [Variance(float(row.var(ddof=1)), case.n_seeds - 1) for row in rows[: case.n_kinds]]
    more, freedom = case.n_kinds - len(kinds), SEEDS_OF_KINDS - 1
    others = np.exp(rng.normal(0, case.spread, more)) * rng.chisquare(freedom, more) / freedom
    law = common_law([*kinds, *(Variance(one, freedom) for one in others.tolist())])
    assert law is not None
    return law


def _pairs(n_rows: int) -> list[tuple[int, int]]:
    return list(itertools.combinations(range(n_rows), 2))


def _named(rows: np.ndarray, change: np.ndarray, law: CommonLaw | None) -> list[bool]:
    """Return of every pair whether it is called different."""
    return _called_different(np.array([rows[i] - rows[j] for i, j in _pairs(len(rows))]), change, law)


def _called_different(gaps: np.ndarray, change: np.ndarray, law: CommonLaw | None) -> list[bool]:
    """Return of every difference, shape (differences, seeds), whether it is called one."""
    p_values = [difference_over_seeds(gap, change, between_seeds(gap, law)).p_value for gap in gaps]
    return [p < ALPHA for p in holm([p for p in p_values if p is not None])]


HEAD = """\
# Errors of tables with few training seeds

Per cent of simulated tables of equal rows in which any pair is called different (5 % wanted), and per cent of the pairs
found that differ by {far:g} standard deviations of a run, Holm-corrected over all pairs of one column: by each pair's
own variance between seeds, and by one that is averaged with what several kinds of networks have in common
(`foleybench.stats.moderated`), as `foleybench reproduce` does it. Spread: standard deviation of the logarithm of the
networks' true variances. Clips: variance by the choice of clips, in units of that between seeds. Kinds: how many tell
what they have in common, the rows among them. Outlier: how many times the others' standard deviation one row has.
{sets} tables a line, by

```
python benchmarks/seed_errors.py > benchmarks/results/seed_errors.md
```

| Spread | Seeds | Rows | Clips | Kinds | Outlier | equal, own (%) | moderated (%) | found, own (%) | moderated (%) |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
"""

HEAD_WITHIN = """
## Rows of the same networks

Alike for pages whose rows sample the same networks, each compared with the last, as on the page of speed: by the own
variance of each difference, and by one that is averaged with what all seven rows have in common
(`foleybench/reproduce/same_networks.py`). The luck of the networks, which is in all rows, has four times the standard
deviation of what is left of a row, 1 where nothing else is said. Clips are as if every row had clips of its own. Where
the luck fades it counts half, half, half, a fifth and a twentieth less in the first five rows, and .1 is left of each.

| What varies | Seeds | Clips | equal, own (%) | law (%) | found, own (%) | law (%) |
|---|---:|---:|---:|---:|---:|---:|
"""


if __name__ == "__main__":
    sys.exit(main())
