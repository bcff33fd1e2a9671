"""Make ``leaderboards/real.md`` from the values of ``real_outputs.py``.

    python benchmarks/real_table.py --values leaderboards/real.csv --out leaderboards/real.md

Each value of a clip becomes the share of the way from the real sound (0) to another clip of the set (1). The shares of
all sets are joined by one linear mixed model for each metric (REML, scipy): a mean for each system, and random
deviations of sets, of clips within sets, and of systems within sets. A system of one set is compared with one of
another through the systems and controls that both have; the intervals (95 %, Wald) hold what sets and clips differ by.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import linalg, optimize

METRICS = {
    "similarity_aisfx": "Similarity (aiSFX)",
    "kld_aisfx": "KLD (aiSFX)",
    "mel_profile_distance": "Mel profile distance",
    "onset_agreement": "Onset agreement",
}
LEAD = "similarity_aisfx"
REAL, OTHER = "ground_truth", "other_clip"
# Far beyond the scale, and by very different amounts in different sets: in the model it would widen every interval.
LEFT_OUT = "noise"
CONTROLS = {
    "ground_truth": "real sound",
    "shift_1s": "real sound, 1 s late",
    "band_limited": "real sound, 4 kHz band",
    "other_clip": "another clip of the set",
    "noise": "white noise",
}
# The systems that the paper compares with, by its names, and their rows here.
NINE = {
    "SpecVQGAN": "specvqgan",
    "Im2Wav": "im2wav",
    "Diff-Foley": "diff_foley",
    "FoleyGen": None,
    "V2A-Mapper": "v2a_mapper",
    "Seeing & Hearing": "seeing_and_hearing",
    "MaskVAT": "maskvat",
    "VAB": None,
    "VATT": None,
}
Z = 1.959964


class Estimate(NamedTuple):
    """The mean share of a system, its interval, and what it rests on."""

    value: float
    low: float
    high: float
    n_clips: int
    n_sets: int


def main() -> int:
    """Read the values, fit a model a metric, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=Path, default=Path("leaderboards/real.csv"), help="table of real_outputs.py")
    parser.add_argument("--published", type=Path, default=Path("leaderboards/published.csv"), help="reported values")
    parser.add_argument("--out", type=Path, default=Path("leaderboards/real.md"), help="page to write")
    args = parser.parse_args()
    write_page(args.values, args.published, args.out)
    return 0


def write_page(table: Path, published: Path, out: Path) -> None:
    """Fit a model a metric to the values of ``real_outputs.py`` and write the page."""
    values = read_values(table)
    estimates = {metric: fit(shares(values[values.metric == metric])) for metric in METRICS}
    out.write_text(page(values, estimates, reported(published)), encoding="utf-8")


def read_values(path: Path) -> pd.DataFrame:
    """Return the table as a line a clip, system and metric; a clip that a metric does not apply to has none."""
    wide = pd.read_csv(path, dtype={"clip": str})
    about = ["set", "system", "kind", "clip", "audio_sha256"]
    long = wide.melt(id_vars=about, var_name="metric", value_name="value").dropna(subset="value")
    return long.assign(metric=long.metric.str.partition(":")[0])


def shares(values: pd.DataFrame) -> pd.DataFrame:
    """Return the share of each line; clips without a value for the real sound are left out.

    The ends are means over the clips of a set: those of one clip would make one unlucky other clip decide.
    """
    wide = values.pivot_table(index=["set", "clip"], columns="system", values="value", aggfunc="first")
    wide = wide.dropna(subset=[REAL, OTHER])
    ends = wide[[REAL, OTHER]].groupby(level="set").transform("mean")
    scaled = wide.sub(ends[REAL], axis=0).div(ends[OTHER] - ends[REAL], axis=0)
    long = scaled.reset_index().melt(id_vars=["set", "clip"], var_name="system", value_name="share").dropna()
    return long.sort_values(["set", "clip", "system"], ignore_index=True)


def fit(lines: pd.DataFrame) -> dict[str, Estimate]:
    """Return the estimate of each system but for the two ends of the scale, 0 and 1 in every set, and noise."""
    used = lines[~lines.system.isin([REAL, OTHER, LEFT_OUT])]
    systems = sorted(used.system.unique())
    parts = [used[["set"]], used[["set", "clip"]], used[["set", "system"]]]
    alike = [_alike(part.agg("|".join, axis=1).to_numpy()) for part in parts]
    design = (used.system.to_numpy()[:, None] == np.array(systems)).astype(float)
    means, errors = mixed_means(used.share.to_numpy(), design, alike)
    counts = used.groupby("system").agg(n=("clip", "size"), sets=("set", "nunique"))
    return {
        name: Estimate(mean, mean - Z * error, mean + Z * error, *map(int, counts.loc[name]))
        for name, mean, error in zip(systems, means, errors, strict=True)
    }


def _alike(names: np.ndarray) -> np.ndarray:
    """Return a matrix that is 1 where two lines have one name."""
    return (names[:, None] == names).astype(float)


def mixed_means(values: np.ndarray, design: np.ndarray, alike: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Fit a linear mixed model by restricted maximum likelihood; return fixed effects and their standard errors.

    Dense, since lines are few: statsmodels' MixedLM, which works through the inverse of each variance, gives the same
    numbers where all variances are above zero, and errors ten times too small where one is zero (0.01 for 0.09 in onset
    agreement).

    Args:
        values: Shape (n,).
        design: Of the fixed effects, shape (n, p).
        alike: For each random effect a matrix (n, n) that is 1 where two lines share it.
    """
    spread = float(np.var(values))
    matrices = [np.eye(len(values)), *alike]

    def solved(logs: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        whole = sum(np.exp(log) * matrix for log, matrix in zip(logs, matrices, strict=True))
        factor = linalg.cho_factor(whole, lower=True)
        weighted = linalg.cho_solve(factor, design)
        information = design.T @ weighted
        effects = linalg.solve(information, weighted.T @ values, assume_a="pos")
        rest = values - design @ effects
        determinants = 2 * np.log(np.diag(factor[0])).sum() + np.linalg.slogdet(information)[1]
        return determinants + rest @ linalg.cho_solve(factor, rest), effects, information

    ends = (np.log(1e-6 * spread), np.log(10 * spread))
    starts = [np.log(spread * np.array(start)) for start in ((0.5, 0.1, 0.2, 0.2), (0.9, 0.01, 0.05, 0.05))]
    tried = [
        optimize.minimize(lambda logs: solved(logs)[0], start, method="L-BFGS-B", bounds=[ends] * len(start))
        for start in starts
    ]
    best = min(tried, key=lambda one: one.fun)
    _, effects, information = solved(best.x)
    return effects, np.sqrt(np.diag(linalg.inv(information)))


def reported(path: Path) -> dict[str, dict[str, str]]:
    """Return the reported values of the paper's first table, by row and metric."""
    found: dict[str, dict[str, str]] = {}
    with path.open(newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            if row["source"].startswith("arXiv 2603.08126, Table 1,"):
                found.setdefault(row["row"].split(" [")[0], {})[row["metric"]] = row["value"]
    return found


def page(values: pd.DataFrame, estimates: dict[str, dict[str, Estimate]], numbers: dict[str, dict[str, str]]) -> str:
    """Return the page."""
    lead = estimates[LEAD]
    kinds = dict(zip(values.system, values.kind, strict=True))
    systems = sorted((name for name in lead if kinds[name] != "control"), key=lambda name: lead[name].value)
    lines = [*HEAD, "", *_sets(values), "", "## Systems and controls", "", *LEGEND, ""]
    lines += ["| Place | System | Clips (sets) | " + " | ".join(METRICS.values()) + " |"]
    lines += ["|---:|---|---:|" + "---|" * len(METRICS)]
    for name in sorted(lead, key=lambda name: lead[name].value):
        place = str(systems.index(name) + 1) if name in systems else ""
        title = CONTROLS.get(name, f"`{name}`") + (" †" if only_at_home(values, name) else "")
        cells = [_cell(estimates[metric].get(name)) for metric in METRICS]
        lines.append(f"| {place} | {title} | {lead[name].n_clips} ({lead[name].n_sets}) | {' | '.join(cells)} |")
    lines += ["", "## The nine systems that the paper compares with", "", *NINE_HEAD, ""]
    lines += [
        "| System | Real outputs | Place | Share [95 %] | Reported: KLD, FAD, Align Acc |",
        "|---|---:|---:|---|---|",
    ]
    for title, name in NINE.items():
        row = numbers.get(_row_of(title, numbers), {})
        said = ", ".join(row.get(metric, "") for metric in ("KLD", "FAD", "Align Acc"))
        if name is None or name not in lead:
            lines.append(f"| {title} | 0 | | | {said} |")
        else:
            rank = f"{systems.index(name) + 1} of {len(systems)}"
            lines.append(f"| {title} | {lead[name].n_clips} | {rank} | {_cell(lead[name])} | {said} |")
    lines += ["", "## Per set", "", *SET_HEAD, ""]
    for home in sorted(values["set"].unique()):
        lines += [f"### {home}", "", *_per_set(values[values["set"] == home]), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def only_at_home(values: pd.DataFrame, name: str) -> bool:
    """Tell whether all outputs of a system are from the page of its own authors."""
    return all(name.startswith(home) for home in values[values.system == name]["set"].unique())


def _row_of(title: str, numbers: dict[str, dict[str, str]]) -> str:
    plain = _letters(title)
    return next((row for row in numbers if _letters(row) == plain), "")


def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower().replace("and", "") if letter.isalnum())


def _cell(estimate: Estimate | None) -> str:
    return "" if estimate is None else f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def _sets(values: pd.DataFrame) -> list[str]:
    lines = ["| Set | Clips | Systems |", "|---|---:|---|"]
    for home, part in values.groupby("set"):
        systems = sorted(part[part.kind != "control"].system.unique())
        lines.append(f"| {home} | {part['clip'].nunique()} | {', '.join(systems)} |")
    return lines


def _per_set(values: pd.DataFrame) -> list[str]:
    """Return the means of a set, in the metrics' own units, best similarity first."""
    means = values.pivot_table(index="system", columns="metric", values="value", aggfunc="mean")
    counts = values[values.metric == LEAD].groupby("system")["clip"].nunique()
    lines = ["| System | Clips | " + " | ".join(METRICS.values()) + " |", "|---|---:|" + "---:|" * len(METRICS)]
    for name in means.sort_values(LEAD, ascending=False).index:
        cells = ["" if np.isnan(value) else f"{value:.3g}" for value in means.loc[name].reindex(list(METRICS))]
        lines.append(f"| {CONTROLS.get(name, f'`{name}`')} | {counts[name]} | {' | '.join(cells)} |")
    return lines


HEAD = """\
<!-- Written by benchmarks/real_table.py. Do not edit: change the values and run it again. -->

# Real outputs of published systems

**These clips were chosen by authors.** They are what papers show on their pages: each page chose its clips, and nobody
knows how many outputs were tried. Clips are few, and most systems are on one or two pages. This page can say how far
published sound is from the real sound of the same clip, and which systems differ by more than sets and clips do. It
cannot say which system is best on clips that nobody chose.

Scored under protocol `sfx`. The sound itself is not here; clip ids, values and the hash of every sound that was scored
are in [real.csv](real.csv). Made by

```
python benchmarks/real_outputs.py --pairs PAIRS
```
""".splitlines()
LEGEND = """\
Every value is the share of the way from the real sound (0) to another clip of the same set (1): lower is better, and 1
is what a system gets that ignores the clip. Joined over sets by one linear mixed model a metric, with random deviations
of sets, of clips, and of systems within sets; [95 % interval] from its standard errors. Place: by similarity. Onset
agreement is the mean over clips whose real sound has onsets: read it beside the control that is 1 s late. White noise
is in the tables of sets only. † all outputs are from the page of the system's own authors.
""".splitlines()
NINE_HEAD = """\
Reported values are those of the paper's Table 1 ([published.md](published.md)): other clips, other metrics. They stand
here so that a reader sees on how little a check of them by published sound would rest.
""".splitlines()
SET_HEAD = ["Means over clips, in the metrics' own units; the best similarity first."]


if __name__ == "__main__":
    sys.exit(main())
