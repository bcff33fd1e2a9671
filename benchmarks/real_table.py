"""Make ``leaderboards/real.md`` from the values of ``real_outputs.py``.

    python benchmarks/real_table.py --values leaderboards/real.csv --out leaderboards/real.md

Each value of a clip becomes the share of the way from the real sound (0) to another clip of the set (1). The shares of
all sets are joined by one linear mixed model for each metric (``foleybench.stats.mixed_model``): a mean for each
system, and random deviations of sets, of clips within sets, and of systems within sets. A system of one set is compared
with one of another through the systems and controls that both have; intervals and tests hold what sets and clips differ
by. Ranks are those that the tests of all pairs of systems leave open, Holm-corrected in each metric.

The page is made here and not by ``foleybench leaderboard``: it joins seven sets, whose sound is not in the project.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from foleybench.leaderboard.significance import ALPHA, Comparison, Standing, standings
from foleybench.stats import mixed_model
from foleybench.stats.intervals import Interval, Paired
from foleybench.stats.ranking import holm

METRICS = {
    "similarity_aisfx": "Similarity (aiSFX)",
    "kld_aisfx": "KLD (aiSFX)",
    "mel_profile_distance": "Mel profile distance",
    "onset_agreement": "Onset agreement, mean over clips",
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


class Estimate(NamedTuple):
    """The mean share of a system, its interval, what it rests on, and the ranks that it may hold (controls: none)."""

    value: float
    interval: Interval
    n_clips: int
    n_sets: int
    standing: Standing | None = None


class Fitted(NamedTuple):
    """A metric: the estimate of each system and control, and the pairs of systems that are significantly different.

    Attributes:
        estimates: Name -> estimate.
        differing: Pairs of systems, the one nearer to the real sound first.
        n_pairs: How many pairs were tested.
    """

    estimates: dict[str, Estimate]
    differing: list[tuple[str, str]]
    n_pairs: int


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
    fitted = {metric: fit(shares(values[values.metric == metric])) for metric in METRICS}
    out.write_text(page(values, fitted, reported(published)), encoding="utf-8")


def read_values(path: Path) -> pd.DataFrame:
    """Return the table as a line a clip, system and metric; a clip that a metric does not apply to has none."""
    wide = pd.read_csv(path, dtype={"clip": str})
    about = ["set", "system", "kind", "clip", "seconds", "cut_from_seconds", "audio_sha256"]
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


def fit(lines: pd.DataFrame) -> Fitted:
    """Estimate each system but the two ends of the scale, 0 and 1 in every set, and noise; compare all systems."""
    used = lines[~lines.system.isin([REAL, OTHER, LEFT_OUT])]
    names, design, groups = layout_of(used)
    model = mixed_model.fit_mixed(used.share.to_numpy(), design, groups)
    single = np.eye(len(names))
    counts = used.groupby("system").agg(n=("clip", "size"), sets=("set", "nunique"))
    means = [model.contrast(row) for row in single]
    estimates = {
        name: Estimate(mean.value, mean.interval, int(counts.n[name]), int(counts.sets[name]))
        for name, mean in zip(names, means, strict=True)
    }
    systems = [name for name in names if name not in CONTROLS]
    found = compare(model, [single[names.index(name)] for name in systems])
    for name, standing in zip(systems, standings(len(systems), "lower", found), strict=True):
        estimates[name] = estimates[name]._replace(standing=standing)
    return Fitted(estimates, _differing(systems, found), len(found))


def layout_of(lines: pd.DataFrame) -> tuple[list[str], np.ndarray, list[list[str]]]:
    """Return the names of the fixed effects, their design, and the groups of sets, clips, and systems within sets."""
    names = sorted(lines.system.unique())
    groups = [lines[part].agg("|".join, axis=1).to_list() for part in (["set"], ["set", "clip"], ["set", "system"])]
    return names, (lines.system.to_numpy()[:, None] == np.array(names)).astype(float), groups


def compare(model: mixed_model.MixedModel, systems: list[np.ndarray]) -> list[Comparison]:
    """Test all pairs of systems, Holm-corrected over them; each system is given by its weights on the fixed effects."""
    pairs = list(itertools.combinations(range(len(systems)), 2))
    contrasts = [model.contrast(systems[i] - systems[j]) for i, j in pairs]
    corrected = holm([contrast.p_value for contrast in contrasts])
    values = [model.contrast(weights).value for weights in systems]
    return [
        Comparison(i, j, Paired(one.value, *one.interval, one.p_value, 0, values[i], values[j]), p_holm)
        for (i, j), one, p_holm in zip(pairs, contrasts, corrected, strict=True)
    ]


def _differing(systems: list[str], found: list[Comparison]) -> list[tuple[str, str]]:
    told = [one for one in found if one.p_holm is not None and one.p_holm < ALPHA]
    pairs = [(one.first, one.second) if one.paired.difference < 0 else (one.second, one.first) for one in told]
    return sorted((systems[near], systems[far]) for near, far in pairs)


def reported(path: Path) -> dict[str, dict[str, str]]:
    """Return the reported values of the paper's first table, by row and metric."""
    found: dict[str, dict[str, str]] = {}
    with path.open(newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            if row["source"].startswith("arXiv 2603.08126, Table 1,"):
                found.setdefault(row["row"].split(" [")[0], {})[row["metric"]] = row["value"]
    return found


def page(values: pd.DataFrame, fitted: dict[str, Fitted], numbers: dict[str, dict[str, str]]) -> str:
    """Return the page."""
    lead = fitted[LEAD].estimates
    lines = [*HEAD, "", which_differ(fitted), "", *MADE_BY, "", *_sets(values), "", clip_lengths(values)]
    lines += ["", "## Systems and controls", "", *LEGEND, ""]
    lines += ["| System | Clips (sets) | " + " | ".join(METRICS.values()) + " |"]
    lines += ["|---|---:|" + "---|" * len(METRICS)]
    for name in sorted(lead, key=lambda name: lead[name].value):
        title = CONTROLS.get(name, f"`{name}`") + (" †" if only_at_home(values, name) else "")
        cells = [_cell(fitted[metric].estimates.get(name), lead[name].n_clips) for metric in METRICS]
        lines.append(f"| {title} | {lead[name].n_clips} ({lead[name].n_sets}) | {' | '.join(cells)} |")
    lines += ["", "## The nine systems that the paper compares with", "", *NINE_HEAD, ""]
    lines += ["| System | Real outputs | Similarity: share [95 %] · rank | Reported: KLD, FAD, Align Acc |"]
    lines += ["|---|---:|---|---|"]
    for title, name in NINE.items():
        row = numbers.get(_row_of(title, numbers), {})
        said = ", ".join(row.get(metric, "") for metric in ("KLD", "FAD", "Align Acc"))
        estimate = lead.get(name or "")
        lines.append(f"| {title} | {estimate.n_clips if estimate else 0} | {_cell(estimate)} | {said} |")
    lines += ["", "## Per set", "", *SET_HEAD, ""]
    for home in sorted(values["set"].unique()):
        lines += [f"### {home}", "", *_per_set(values[values["set"] == home]), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def which_differ(fitted: dict[str, Fitted]) -> str:
    """Say which pairs of systems are significantly different, metric by metric."""
    counts = {METRICS[metric]: found.n_pairs for metric, found in fitted.items()}
    pairs = f"the {counts[METRICS[LEAD]]} pairs"
    if len(set(counts.values())) > 1:  # a system without a value is in no pair of the metric
        pairs = f"the pairs ({', '.join(f'{title}: {n}' for title, n in counts.items())})"
    alike = [METRICS[metric] for metric, found in fitted.items() if not found.differing]
    told = [f"By {METRICS[metric]}, {_pairs(found.differing)}." for metric, found in fitted.items() if found.differing]
    if alike:
        told.insert(0, f"No two systems are significantly different by {_listed(alike, 'or')}.")
    return f"**{' '.join(told)}** (5 %; Holm-corrected over {pairs} of systems, each metric by itself)"


def _pairs(differing: list[tuple[str, str]]) -> str:
    """Put together the systems that are significantly better than the same others."""
    worse: dict[tuple[str, ...], list[str]] = {}
    for better, pairs in itertools.groupby(differing, key=lambda pair: pair[0]):
        worse.setdefault(tuple(name for _, name in pairs), []).append(better)
    return "; ".join(
        f"{_names(better)} {'are' if len(better) > 1 else 'is'} better than {_names(others)}"
        for others, better in worse.items()
    )


def _names(systems: Sequence[str]) -> str:
    return _listed([f"`{name}`" for name in systems], "and")


def _listed(words: Sequence[str], joint: str) -> str:
    *most, last = words
    return f"{', '.join(most)} {joint} {last}" if most else last


def only_at_home(values: pd.DataFrame, name: str) -> bool:
    """Tell whether all outputs of a system are from the page of its own authors."""
    return all(name.startswith(home) for home in values[values.system == name]["set"].unique())


def _row_of(title: str, numbers: dict[str, dict[str, str]]) -> str:
    plain = _letters(title)
    return next((row for row in numbers if _letters(row) == plain), "")


def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower().replace("and", "") if letter.isalnum())


def _cell(estimate: Estimate | None, n_clips: int | None = None) -> str:
    """Return a value with interval and ranks, and the number of its clips where it is less than the row's."""
    if estimate is None:
        return ""
    rank = f" · {estimate.standing.low}-{estimate.standing.high}" if estimate.standing else ""
    fewer = _of_fewer(estimate.n_clips, n_clips or 0)
    return f"{estimate.value:.2f} [{estimate.interval.low:.2f}, {estimate.interval.high:.2f}]{rank}{fewer}"


def _sets(values: pd.DataFrame) -> list[str]:
    lines = ["| Set | Clips | Systems |", "|---|---:|---|"]
    for home, part in values.groupby("set"):
        systems = sorted(part[part.kind != "control"].system.unique())
        lines.append(f"| {home} | {part['clip'].nunique()} | {', '.join(systems)} |")
    return lines


def clip_lengths(values: pd.DataFrame) -> str:
    """Say which clips were cut to the length that all their outputs cover."""
    told = []
    for home, part in values.dropna(subset="cut_from_seconds").groupby("set"):
        clips = part.groupby("clip")[["cut_from_seconds", "seconds"]].max()
        n = f"{len(clips)} clip{'s' if len(clips) > 1 else ''}"
        told.append(f"{n} of {home} to {_range(clips.seconds)} s (of {_range(clips.cut_from_seconds)} s)")
    rule = (
        "Where an output covers less than 95 % of its clip, real sound and outputs of the clip are cut to the shortest:"
    )
    return f"{rule} {'; '.join(told) or 'no clip'}."


def _range(seconds: pd.Series) -> str:
    low, high = f"{seconds.min():.1f}", f"{seconds.max():.1f}"
    return low if low == high else f"{low}-{high}"


def _per_set(values: pd.DataFrame) -> list[str]:
    """Return the means of a set, in the metrics' own units, best similarity first."""
    means = values.pivot_table(index="system", columns="metric", values="value", aggfunc="mean")
    counts = {metric: values[values.metric == metric].groupby("system")["clip"].nunique() for metric in METRICS}
    lines = ["| System | Clips | " + " | ".join(METRICS.values()) + " |", "|---|---:|" + "---:|" * len(METRICS)]
    for name in means.sort_values(LEAD, ascending=False).index:
        n_clips = int(counts[LEAD][name])
        found = means.loc[name].reindex(list(METRICS)).dropna().to_dict()
        texts = {metric: f"{found[metric]:.3g}{_of_fewer(int(counts[metric][name]), n_clips)}" for metric in found}
        cells = [texts.get(metric, "") for metric in METRICS]
        lines.append(f"| {CONTROLS.get(name, f'`{name}`')} | {n_clips} | {' | '.join(cells)} |")
    return lines


def _of_fewer(n: int, n_clips: int) -> str:
    """Return the number of clips that a value rests on, where it is less than the row's."""
    return f" · {n} of {n_clips} clips" if n < n_clips else ""


HEAD = """\
<!-- Written by benchmarks/real_table.py. Do not edit: change the values and run it again. -->

# Real outputs of published systems

**These clips were chosen by authors.** They are what papers show on their pages: each page chose its clips, and nobody
knows how many outputs were tried. Clips are few, and most systems are on one or two pages. This page can say how far
published sound is from the real sound of the same clip, and which systems differ by more than sets and clips do. It
cannot say which system is best on clips that nobody chose.
""".splitlines()
MADE_BY = """\
Scored under protocol `sfx`. The sound itself is not here; clip ids, values and the hash of every sound that was scored
are in [real.csv](real.csv). Made by

```
python benchmarks/real_outputs.py --pairs PAIRS
```
""".splitlines()
LEGEND = """\
Every value is the share of the way from the real sound (0) to another clip of the same set (1): lower is better, and 1
is what a system gets that ignores the clip. Share [95 % interval] · ranks that the system may hold: joined over sets by
one linear mixed model a metric, with random deviations of sets, of clips, and of systems within sets. Systems that are
not significantly different (5 %, Holm-corrected over all pairs of systems of the metric) share ranks; how often the
tests are wrong: `benchmarks/results/mixed_model_errors.md`. Rows are in the order of similarity, which is no ranking.
Onset agreement is the mean over clips whose real sound has onsets, for the model needs a value of each clip: a cell
that rests on fewer clips than the second column says on how many. The tables of single sets, as
[pairs_stav2a.md](pairs_stav2a.md), count the onsets of all clips together and have other numbers for the same outputs.
Read it beside the control that is 1 s late. White noise is in the tables of sets only. † all outputs are from the page
of the system's own authors.
""".splitlines()
NINE_HEAD = """\
Reported values are those of the paper's Table 1 ([published.md](published.md)): other clips, other metrics. They stand
here so that a reader sees on how little a check of them by published sound would rest.
""".splitlines()
SET_HEAD = ["Means over clips, in the metrics' own units; the best similarity first."]


if __name__ == "__main__":
    sys.exit(main())
