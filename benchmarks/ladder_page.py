"""Write what each metric finds along the ladders as a page.

Everything on the page stands here or is computed: whoever runs ``benchmarks/ladders.py`` anew loses nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from benchmarks.ladder_power import TRUE, Found, Rung, rung, step_name
from foleybench.api.metric import Metric, Stat
from foleybench.stats import estimate
from foleybench.synthfoley.ladders import LADDERS

# Every metric and the ladders that it is made to order, by its definition and not by what it was found to do.
OWN: dict[str, tuple[str, ...]] = {
    "event_f1_25ms": ("jitter", "missing", "added"),
    "event_f1": ("jitter", "missing", "added"),
    "event_offset": ("jitter", "late"),
    "source_recall": ("missing",),
    "strength_correlation": ("strength",),
    "pitch_error": ("pitch",),
    "onset_agreement": ("jitter", "missing", "added"),
    "level_correlation": ("strength",),
    "logmel_distance": ("pitch", "material", "class"),
    "mel_profile_distance": ("pitch", "material", "class"),
    "class_accuracy": ("class",),
    "class_f1": ("class",),
    "material_accuracy": ("material",),
    "material_auc": ("material",),
    "kld_mini": ("class",),
    "fad_mini": ("missing", "material", "class"),
    "align_acc_mini": ("jitter",),
}
SIZES = (200, 1000, 3000)
# A distance is not reckoned for other numbers of clips, it is measured with these.
DISTANCE_SIZES = (100, 200, 400, 1000)
_MEASURED_WITH = ", ".join(f"{n:,}" for n in DISTANCE_SIZES)
LOT = 100
LEAST_LOTS = 4
_MANY = 1000
NONE = "–"

INTRO = f"""# Which differences each metric finds

`{{command}}`: the true events of {{clips}} test clips of SynthFoley 2 (classes take
turns), made worse step by step (`foleybench/synthfoley/ladders.py`) and played anew. The first value is {TRUE} of
the true events. This page is written by that command, words and all.

- **In order**: every step is worse than the one before it. Where not: which steps are not, and which of those are
  significantly better than the one before (two-sided 5 %, not corrected for the number of pairs).
- **Told apart**: the steps that a paired test with so many clips tells from the one before in four trials of five
  (two-sided 5 %), if the difference is the one measured here. "?": the clips played do not show that difference to be
  above 0 (two-sided 5 %), so it may be chance.
- **Smallest difference**: what such a test finds in four trials of five; the median over those neighbouring steps that
  differ in any clip.

The standard error of a difference comes from each source video's influence on both values, paired
(`foleybench/stats/influence.py`): exact for means, to first order for ratios of sums (F1, materials) and
correlations. It is that of the clips played, brought to 200, 1,000 and 3,000 clips by the root of their number. No
interval stands on the errors themselves, and where a rate changes in a few clips only the normal law is rough. The
number of clips is that of the clips a metric applies to."""
OWN_INTRO = """
## Each metric on its own ladders

The ladders that a metric is made to order, by its definition. F1 counts what lies within its tolerance alike, so a
jitter far below it is for the offset to tell.
"""
DISTANCE_INTRO = f"""
## Distances between sets

A Fréchet distance is pooled: no clip has a value. The error of a difference is that of each clip's first-order
influence on both distances. It covers which clips were drawn. It does not cover

- the **bias**: the distance of few clips is too large, by an amount that falls as 1 / clips and differs from step to
  step, so the difference of two steps is biased as well. The corrected value (Chong and Forsyth 2020) is extrapolated
  to infinitely many clips;
- the **second order**, which is all there is where a distance is least: another take of the true events has the law of
  the true audio, so its distance is bias alone, and the first-order error of the first difference is a guess;
- **few clips a dimension**: with two the first-order error is up to 1.3 times too wide, from 12 on it is right
  ([statistics](../../docs/statistics.md)); `fad_mini` has 32 dimensions, so 12 are 384 clips.

So nothing is extrapolated to other numbers of clips: the difference itself is another one there, and its error need
not fall as the root of the number. Distances are measured with the first {_MEASURED_WITH} clips instead, as far as
they were played; "told apart" and "smallest difference" are those of so many clips. By the root rule four times the
clips would halve the smallest difference: the lines show what they do.
"""
LOTS_INTRO = f"""
The same differences in separate lots of {LOT} clips: their standard deviation over the lots, and beside it the standard
error that the clips of one lot give (root mean square over lots). A standard deviation of few lots is itself rough.
"""
HEARD_INTRO = f"""
## What hears what

By ladder, for {_MANY:,} clips, without distances between sets. Steps with "?" do not count as told apart.
"""
ALL_INTRO = """
## Every metric on every ladder

Told apart: how many neighbouring steps, "?" those that may be chance. What else the judges hear:
[mini_evaluators.md](mini_evaluators.md). Align Acc judges the frames as they are rendered, before H.264.
"""


def page(
    found: Mapping[str, Found],
    metrics: Mapping[str, Metric],
    sources: Mapping[str, str],
    *,
    command: str,
    clips: int,
) -> str:
    """Return the page as Markdown.

    Args:
        found: Metric -> step -> clip id -> statistics.
        metrics: The metrics, in the order of the page.
        sources: Clip id -> source video, in the order of the split.
        command: What makes this page.
        clips: Number of clips that were played for all metrics.
    """
    rungs = {
        name: {ladder: rung(metric, steps, sources) for ladder, steps in _ladders(found[name])}
        for name, metric in metrics.items()
    }
    distances = {name: metric for name, metric in metrics.items() if metric.corrected}
    lines = [INTRO.format(command=command, clips=clips), *_missing(rungs)]
    lines += [OWN_INTRO, *_own_table(rungs, distances), _out_of_order(rungs), _remarks(rungs)]
    if distances:
        lines += [DISTANCE_INTRO, *_distance_table(found, distances, sources)]
        lines += [LOTS_INTRO, *_lots_table(found, distances, sources)]
    means = {name: of for name, of in rungs.items() if name not in distances}
    lines += [HEARD_INTRO, *_heard_table(means)]
    lines += [ALL_INTRO, *_whole_table(rungs, distances)]
    return "\n".join(line for line in lines if line) + "\n"


def _ladders(found: Found) -> Iterator[tuple[str, list[dict[str, Stat]]]]:
    """Yield every ladder of which all steps were scored, with its steps."""
    for ladder in LADDERS:
        names = [TRUE, *(step_name(ladder, step) for step in LADDERS[ladder].steps)]
        if all(name in found for name in names):
            yield ladder, [found[name] for name in names]


def _missing(rungs: Mapping[str, Mapping[str, Rung]]) -> list[str]:
    """Say which metrics apply to no clip."""
    return [f"`{name}` applies to none of these clips." for name, of in rungs.items() if not of]


def _own_table(rungs: Mapping[str, Mapping[str, Rung]], distances: Mapping[str, Metric]) -> Iterator[str]:
    sizes = " | ".join(f"told apart: {n:,}" for n in SIZES)
    yield f"| metric | ladder | clips | in order | {sizes} | smallest difference: {_sizes()} |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, of in rungs.items():
        for ladder in OWN[name]:
            if ladder not in of:
                continue
            found = of[ladder]
            apart = [NONE if name in distances else _which(ladder, found, n) for n in SIZES]
            cells = [
                f"`{name}`",
                ladder,
                str(found.n_clips),
                _order(ladder, found),
                *apart,
                _smallest(found, name in distances),
            ]
            yield _line(cells)


def _distance_table(
    found: Mapping[str, Found], distances: Mapping[str, Metric], sources: Mapping[str, str]
) -> Iterator[str]:
    yield "| metric | ladder | clips | values | corrected values | in order | told apart | smallest difference |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, ladder, steps in _own_ladders(found, distances):
        for n in DISTANCE_SIZES:
            first = next(_lots(steps, sources, n), None)
            if first is not None:
                yield _line([f"`{name}`", ladder, str(n), *_distance_cells(distances[name], ladder, first, sources)])


def _lots_table(
    found: Mapping[str, Found], distances: Mapping[str, Metric], sources: Mapping[str, str]
) -> Iterator[str]:
    yield "| metric | ladder | lots | mean differences | standard deviations | standard errors |"
    yield "|---|---|---|---|---|---|"
    for name, ladder, steps in _own_ladders(found, distances):
        lots = [rung(distances[name], lot, sources) for lot in _lots(steps, sources, LOT)]
        if len(lots) >= LEAST_LOTS:
            drops = np.array([lot.drops for lot in lots])
            errors = np.sqrt(np.mean(np.square([lot.errors for lot in lots]), axis=0) / LOT)
            columns = (drops.mean(axis=0), drops.std(axis=0, ddof=1), errors)
            yield _line([f"`{name}`", ladder, str(len(lots)), *(_values(column.tolist()) for column in columns)])


def _own_ladders(
    found: Mapping[str, Found], metrics: Mapping[str, Metric]
) -> Iterator[tuple[str, str, list[dict[str, Stat]]]]:
    """Yield every metric with each ladder of its own and the steps of that."""
    for name in metrics:
        for ladder, steps in _ladders(found[name]):
            if ladder in OWN[name]:
                yield name, ladder, steps


def _lots(steps: Sequence[Mapping[str, Stat]], sources: Mapping[str, str], n: int) -> Iterator[list[dict[str, Stat]]]:
    """Yield the steps with the first ``n`` clips that all of them have, with the next, as often as they last."""
    ids = [clip_id for clip_id in sources if all(clip_id in step for step in steps)]
    for start in range(0, len(ids) - n + 1, n):
        yield [{clip_id: step[clip_id] for clip_id in ids[start : start + n]} for step in steps]


def _distance_cells(
    metric: Metric, ladder: str, steps: Sequence[Mapping[str, Stat]], sources: Mapping[str, str]
) -> list[str]:
    """Return what a distance shows along a ladder with just these clips."""
    found = rung(metric, steps, sources)
    corrected = [estimate.corrected_of(metric, step, sources) for step in steps]
    apart = _which(ladder, found, found.n_clips)
    values = (_values(found.values), _values(corrected))
    return [*values, _order(ladder, found), apart, _number(found.smallest(found.n_clips))]


def _out_of_order(rungs: Mapping[str, Mapping[str, Rung]]) -> str:
    """Count and name the metrics that do not order their own ladders."""
    own = [(name, ladder, of[ladder]) for name, of in rungs.items() for ladder in OWN[name] if ladder in of]
    out = [(f"`{name}` ({ladder})", found) for name, ladder, found in own if not found.in_order]
    if not out:
        return f"\nAll {len(own)} own ladders are in order."
    turned = [name for name, found in out if any(found.turned())]
    shown = (
        f"A step is significantly better than the one before in {', '.join(turned)}."
        if turned
        else "In none of these is a step significantly better than the one before: each may be chance."
    )
    return f"\n{len(out)} of {len(own)} own ladders are out of order: {', '.join(name for name, _ in out)}.\n{shown}"


def _remarks(rungs: Mapping[str, Mapping[str, Rung]]) -> str:
    """Say how strength correlation takes what is missing; "" where it was not measured."""
    found = rungs.get("strength_correlation", {}).get("missing")
    if found is None:
        return ""
    share = LADDERS["missing"].steps[0]
    return (
        f"\nStrength correlation is {found.values[1]:.3f} with {100 * share:g} % of the events missing and "
        f"{found.values[0]:.3f} with all: silence lies far\nbelow the softest hit, so read it beside source recall."
    )


def _heard_table(rungs: Mapping[str, Mapping[str, Rung]]) -> Iterator[str]:
    yield "| ladder | every step told apart by | some steps by | no step by |"
    yield "|---|---|---|---|"
    for ladder in LADDERS:
        columns: tuple[list[str], list[str], list[str]] = ([], [], [])
        for name, of in rungs.items():
            if ladder in of:
                apart = of[ladder].surely_apart(_MANY)
                columns[0 if all(apart) else 1 if any(apart) else 2].append(f"`{name}`")
        yield _line([ladder, *(", ".join(column) or NONE for column in columns)])


def _whole_table(rungs: Mapping[str, Mapping[str, Rung]], distances: Mapping[str, Metric]) -> Iterator[str]:
    sizes = _sizes()
    yield f"| metric | ladder | clips | values | in order | told apart: {sizes} | smallest difference: {sizes} |"
    yield "|---|---|---|---|---|---|---|"
    for name, of in rungs.items():
        for ladder, found in of.items():
            apart = NONE if name in distances else " / ".join(_how_many(found, n) for n in SIZES)
            order = "yes" if found.in_order else "no"
            cells = [f"`{name}`", ladder, str(found.n_clips), _values(found.values), order, apart]
            yield _line([*cells, _smallest(found, name in distances)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _sizes() -> str:
    return " / ".join(f"{n:,}" for n in SIZES)


def _which(ladder: str, found: Rung, n_clips: int) -> str:
    """Name the steps that are told from the one before, with "?" where that may be chance."""
    steps, sure = LADDERS[ladder].steps, found.surely_apart(n_clips)
    if all(sure):
        return "all"
    told = zip(steps, found.told_apart(n_clips), sure, strict=True)
    return " ".join(f"{step:g}{'' if certain else '?'}" for step, apart, certain in told if apart) or "none"


def _how_many(found: Rung, n_clips: int) -> str:
    """Count the steps that are told from the one before; those that may be chance after a plus."""
    n_sure = sum(found.surely_apart(n_clips))
    n_unsure = sum(found.told_apart(n_clips)) - n_sure
    return f"{n_sure}{f' + {n_unsure}?' if n_unsure else ''} of {len(found.drops)}"


def _order(ladder: str, found: Rung) -> str:
    """Say whether the values come in order, and which steps do not."""
    if found.in_order:
        return "yes"
    not_worse = _named(ladder, [not drop > 0 for drop in found.drops])
    return f"no: {not_worse} not worse, {_named(ladder, found.turned()) or 'none'} significantly better"


def _named(ladder: str, chosen: Sequence[bool]) -> str:
    return " ".join(f"{step:g}" for step, is_one in zip(LADDERS[ladder].steps, chosen, strict=True) if is_one)


def _smallest(found: Rung, is_distance: bool) -> str:
    return NONE if is_distance else " / ".join(_number(found.smallest(n)) for n in SIZES)


def _number(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else NONE


def _values(values: Sequence[float]) -> str:
    return " ".join(f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}" for value in values)
