"""How often the tests of ``real_table.py`` are wrong, on simulated shares with a known truth.

The systems, sets and clips are those of ``leaderboards/real.csv``; shares are drawn from
the model with given variances. First all systems are equal; then every other system is worse by a given amount.

    OMP_NUM_THREADS=1 python benchmarks/mixed_model_errors.py > benchmarks/results/mixed_model_errors.md
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from real_table import CONTROLS, LEAD, LEFT_OUT, OTHER, REAL, compare, layout_of, read_values, shares
from scipy import special

from foleybench.leaderboard.significance import ALPHA
from foleybench.stats import mixed_model
from foleybench.stats.ranking import holm

# Residual, sets, clips within sets, systems within sets; the first four are near those of the page's four metrics.
VARIANCES = {
    "as of similarity": (0.03, 0.0, 0.02, 0.012),
    "as of KLD": (0.11, 0.02, 0.045, 0.025),
    "as of mel profile distance": (0.09, 0.03, 0.02, 0.03),
    "as of onset agreement": (0.03, 0.0, 0.013, 0.003),
    "systems that vary by set": (0.03, 0.01, 0.02, 0.05),
}
DIFFERENCES = (0.5, 0.75, 1.0)


class Layout(NamedTuple):
    """Who is in which set and clip.

    Attributes:
        design: Of the fixed effects, shape (n, p).
        groups: Of each random effect, (n,) names.
        systems: Weights of each system on the fixed effects, (p,) each.
    """

    design: np.ndarray
    groups: list[list[str]]
    systems: list[np.ndarray]


def main() -> int:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=Path, default=Path("leaderboards/real.csv"), help="table of real_outputs.py")
    parser.add_argument("--repeats", type=int, default=100, help="simulations a line (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="seed (default: 0)")
    args = parser.parse_args()
    layout = layout_in(args.values)
    draw = np.random.default_rng(args.seed)
    sys.stdout.write(HEAD.format(repeats=args.repeats, n=len(layout.systems)))
    for title, variances in VARIANCES.items():
        write_line(title, ", ".join(map(str, variances)), *errors(variances, layout, args.repeats, draw))
    sys.stdout.write(POWER_HEAD)
    for difference in DIFFERENCES:
        write_line(difference, *power(difference, layout, args.repeats, draw))
    return 0


def write_line(*cells: object) -> None:
    """Write a line of a table; shares as per cent."""
    told = [f"{100 * cell:.1f}" if isinstance(cell, np.floating) else str(cell) for cell in cells]
    sys.stdout.write(f"| {' | '.join(told)} |\n")
    sys.stdout.flush()


def layout_in(path: Path) -> Layout:
    """Return the layout of the page's values."""
    values = read_values(path)
    lines = shares(values[values.metric == LEAD])
    names, design, groups = layout_of(lines[~lines.system.isin([REAL, OTHER, LEFT_OUT])])
    weights = zip(names, np.eye(len(names)), strict=True)
    return Layout(design, groups, [row for name, row in weights if name not in CONTROLS])


def simulated(
    layout: Layout, truth: np.ndarray, variances: tuple[float, ...], draw: np.random.Generator
) -> mixed_model.MixedModel:
    """Draw shares around the truth of each fixed effect, and fit."""
    values = layout.design @ truth + draw.normal(0, np.sqrt(variances[0]), len(layout.design))
    for group, variance in zip(layout.groups, variances[1:], strict=True):
        numbers = np.unique(group, return_inverse=True)[1]
        values = values + draw.normal(0, np.sqrt(variance), numbers.max() + 1)[numbers]
    return mixed_model.fit_mixed(values, layout.design, layout.groups)


def errors(
    variances: tuple[float, ...], layout: Layout, repeats: int, draw: np.random.Generator
) -> tuple[np.floating, ...]:
    """Compare equal systems: return how often a pair alone, any, and any by a normal deviate is called different."""
    single, family, by_normal = [], [], []
    for _ in range(repeats):
        model = simulated(layout, np.zeros(layout.design.shape[1]), variances, draw)
        found = compare(model, layout.systems)
        single.append(np.mean([_below(one.paired.p_value) for one in found]))
        family.append(any(_below(one.p_holm) for one in found))
        contrasts = [model.contrast(layout.systems[one.first] - layout.systems[one.second]) for one in found]
        by_normal.append(min(holm([2 * special.ndtr(-abs(one.value) / one.error) for one in contrasts])) < ALPHA)
    return np.mean(single), np.mean(family), np.mean(by_normal)


def power(
    difference: float, layout: Layout, repeats: int, draw: np.random.Generator
) -> tuple[np.floating, np.floating, np.floating]:
    """Make every other system worse: return the share of pairs found, of tables with any, and with a wrong one."""
    truth = difference * np.sum(layout.systems[1::2], axis=0)
    hits, some, wrong = [], [], []
    for _ in range(repeats):
        found = compare(simulated(layout, truth, VARIANCES["as of similarity"], draw), layout.systems)
        true = [_below(one.p_holm) for one in found if (one.first + one.second) % 2]
        hits.append(np.mean(true))
        some.append(any(true))
        wrong.append(any(_below(one.p_holm) for one in found if (one.first + one.second) % 2 == 0))
    return np.mean(hits), np.mean(some), np.mean(wrong)


def _below(p_value: float | None) -> bool:
    return p_value is not None and p_value < ALPHA


HEAD = """\
# Errors of the tests of real outputs

Simulated shares in the layout of `leaderboards/real.csv` ({n} systems, {repeats} simulations a line), by

```
python benchmarks/mixed_model_errors.py > benchmarks/results/mixed_model_errors.md
```

## Equal systems

Per cent of pairs whose own p-value is below 5 %; per cent of tables in which any pair is called different, corrected by
Holm over all pairs: by Student's t with Satterthwaite's degrees of freedom, which the page takes, and by the normal
distribution.

| Variances | residual, sets, clips, systems within sets | pairs (%) | tables (%) | tables, normal (%) |
|---|---|---:|---:|---:|
"""
POWER_HEAD = """
## Unequal systems

Every other system is worse by the difference, as a share of the way from the real sound to another clip; variances as
of similarity. A wrong pair is one of two equal systems that is called different.

| Difference | differing pairs found (%) | tables with any found (%) | tables with a wrong pair (%) |
|---:|---:|---:|---:|
"""


if __name__ == "__main__":
    sys.exit(main())
