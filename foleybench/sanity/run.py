"""Score the real audio and every step of every degradation."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from foleybench.api.metric import Metric
from foleybench.artefacts import result
from foleybench.artefacts.clip_table import ClipTable
from foleybench.media.audio import write_wav
from foleybench.runtime.progress import Progress
from foleybench.sanity.degradations import DEGRADATIONS, Degradation, Sounds
from foleybench.scoring.choice import Choice, choose
from foleybench.scoring.scorer import ClipToScore, Scorer, ScorerRecipe
from foleybench.scoring.weights_here import cannot_run
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.folder_dataset import open_dataset
from foleybench.stats import estimate


class CurvePoint(NamedTuple):
    """A metric at one step.

    Attributes:
        level: The step, in the degradation's unit; None for the real audio.
        value: The metric, NaN when undefined.
        low: Lower end of its 95 % interval, or None.
        high: Upper end.
        worse: How much worse than the real audio on the same clips, positive is worse; NaN when undefined.
        worse_low: Lower end of the paired 95 % interval of that difference, or None.
        worse_high: Upper end.
    """

    level: float | None
    value: float
    low: float | None
    high: float | None
    worse: float
    worse_low: float | None
    worse_high: float | None


# metric -> degradation -> the real audio, then the steps from mild to strong.
Curves = dict[str, dict[str, list[CurvePoint]]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SanityRequest:
    """The clips, metrics and degradations of a run.

    Attributes:
        data: Manifest.
        protocol: Registry name or ``path/to/file.py:NAME``; None for ``metrics`` alone, on whole clips.
        metrics: Metrics in addition to the protocol's, named in the same way.
        work: Where audio files lie while they are scored.
        degradations: Names of ``DEGRADATIONS``.
        limit: Largest number of clips, spread over the data set, or None.
        seed: Decides noise, swaps and sign vectors.
        resamples: Number of random sign vectors that an interval is made from.
        device: Torch device.
        cache: Folder of the feature cache, or None.
    """

    data: Path
    protocol: str | None
    work: Path
    metrics: tuple[str, ...] = ()
    degradations: tuple[str, ...] = tuple(DEGRADATIONS)
    limit: int | None = None
    seed: int = 0
    resamples: int = 1000
    device: str = "cpu"
    cache: Path | None = None


class SanityOutcome(NamedTuple):
    """The outcome of a run.

    Attributes:
        dataset: Name and split.
        n_clips: Number of clips that were scored.
        curves: The points.
        metrics: The metrics that were scored.
        left_out: Metric -> why it was not scored.
        names: How to load each metric (``registry.load``).
        no_steps: Degradation -> why it does not apply to the clips.
    """

    dataset: str
    n_clips: int
    curves: Curves
    metrics: dict[str, Metric]
    left_out: dict[str, str]
    names: Mapping[str, str]
    no_steps: Mapping[str, str] = MappingProxyType({})


def run_sanity(request: SanityRequest) -> SanityOutcome:
    """Make, score and compare audio; its files are deleted once they are scored.

    Raises:
        FoleyError: The data cannot be read, or a metric or the protocol cannot be loaded.
    """
    choice = choose(request.protocol, request.metrics)
    data = open_dataset(request.data)
    metrics, left_out = able(choice)
    clip_ids = spread_clips(data.clip_ids, request.limit)
    stereo = {clip_id for clip_id in clip_ids if data.sides(clip_id) is not None}
    mixed = Sounds(data, clip_ids, request.seed)
    recipe = ScorerRecipe(
        data=request.data,
        protocol=choice.protocol_name,
        metrics=tuple(choice.names[name] for name in metrics),
        device=request.device,
        cache=request.cache,
        report_silence=False,
    )
    bench = _Bench(Scorer(recipe), mixed, stereo, request.work)
    no_steps = _without_classes(data, clip_ids, request.degradations)
    if not stereo:
        no_steps |= {name: "no clip has two channels" for name in request.degradations if DEGRADATIONS[name].of_sides}
    chosen = {name: DEGRADATIONS[name] for name in request.degradations if name not in no_steps}
    steps = sum(len(degradation.levels) for degradation in chosen.values())
    curves: Curves = {name: {} for name in metrics}
    with Progress(total=(1 + steps) * len(clip_ids), desc="sanity", unit="clip") as bar:
        truth = bench.score(None, 0.0, bar)
        first = {name: _point(metric, name, None, truth, truth, request) for name, metric in metrics.items()}
        for key, degradation in chosen.items():
            for name in metrics:
                curves[name][key] = [first[name]]
            for level in degradation.levels:
                table = bench.score((key, degradation), level, bar)
                for name, metric in metrics.items():
                    curves[name][key].append(_point(metric, name, level, table, truth, request))
    title = f"{data.name}/{data.manifest.header.split}"
    return SanityOutcome(title, len(clip_ids), curves, metrics, left_out, choice.names, no_steps)


def _without_classes(data: ShardDataset, clip_ids: Sequence[str], degradations: Sequence[str]) -> dict[str, str]:
    """Return the degradations that would change nothing, since all clips are of no or one class, and why."""
    labels = {data.entry(clip_id).label for clip_id in clip_ids}
    if len(labels) > 1:
        return {}
    why = "the clips have no labels" if labels <= {""} else "all clips are of one class"
    return {name: why for name in degradations if DEGRADATIONS[name].of_classes}


def able(choice: Choice) -> tuple[dict[str, Metric], dict[str, str]]:
    """Return the metrics that depend on the audio and can run here, and why the others are left out."""
    metrics, left_out = dict[str, Metric](), dict[str, str]()
    for name, metric in choice.metrics.items():
        why = cannot_run(choice.names[name])
        if not any(need.of == "generated" for need in metric.needs.values()):
            why = "it does not depend on the audio"
        if why:
            left_out[name] = why
        else:
            metrics[name] = metric
    return metrics, left_out


def spread_clips(clip_ids: Sequence[str], limit: int | None) -> list[str]:
    """Return this many of the clips, evenly spread, so that a sorted list gives all classes.

    Example:
        >>> spread_clips(list("abcdefgh"), 4)
        ['a', 'c', 'e', 'g']
    """
    if limit is None or limit >= len(clip_ids):
        return list(clip_ids)
    return [clip_ids[i * len(clip_ids) // limit] for i in range(limit)]


class _Bench:
    """Makes and scores one step after the other; both sides of clips of two channels are changed alike."""

    def __init__(self, scorer: Scorer, mixed: Sounds, stereo: set[str], work: Path) -> None:
        self._scorer, self._stereo, self._work = scorer, stereo, work
        self._mixed, self._sides = mixed, [mixed.one_side(side) for side in (0, 1)]

    def score(self, change: tuple[str, Degradation] | None, level: float, bar: Progress) -> ClipTable:
        """Return the clip table of one step."""
        table = ClipTable()
        ids = self._mixed.clip_ids
        for start in range(0, len(ids), self._scorer.chunk):
            wanted = [self._made(clip_id, change, level) for clip_id in ids[start : start + self._scorer.chunk]]
            for row, *_ in self._scorer(wanted):
                table.add(row)
                bar.update()
        shutil.rmtree(self._work)
        return table

    def _made(self, clip_id: str, change: tuple[str, Degradation] | None, level: float) -> ClipToScore:
        _, rate_hz = self._mixed.own(clip_id)
        heard = self._sides if clip_id in self._stereo else [self._mixed]
        made = [change[1].change(each, clip_id, level) if change else each.own(clip_id)[0] for each in heard]
        # Clip ids are safe as file names: the manifest was checked when it was read.
        path = self._work / f"{clip_id}.wav"
        write_wav(path, np.stack(made) if len(made) > 1 else made[0], rate_hz)
        return ClipToScore(clip_id, path, None)


def _point(
    metric: Metric, name: str, level: float | None, table: ClipTable, truth: ClipTable, request: SanityRequest
) -> CurvePoint:
    found, true = result.stats_of(table, name), result.stats_of(truth, name)
    sources: Mapping[str, str] = {row["clip_id"]: row["source_id"] for row in table}
    value = estimate.value_of(metric, found)
    if not np.isfinite(value):
        return CurvePoint(level, float("nan"), None, None, float("nan"), None, None)
    seed, resamples = request.seed, request.resamples
    rng = estimate.rng_of(seed, name)
    interval = estimate.interval_of(name, metric, found, sources, value=value, seed=seed, resamples=resamples)
    paired = estimate.paired(metric, found, true, sources, rng=rng, resamples=resamples)
    low, high = interval or (None, None)
    if metric.better == "lower":
        return CurvePoint(level, value, low, high, paired.difference, paired.low, paired.high)
    flipped = [None if end is None else -end for end in (paired.high, paired.low)]
    return CurvePoint(level, value, low, high, -paired.difference, flipped[0], flipped[1])
