"""Score an audio folder: rows of statistics, then values.

Each clip is decoded once and every encoder that is needed runs once. Rows come from this process or from
several (``workers``), always in the same order and with the same bits.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from foleybench.api.metric import Metric
from foleybench.artefacts import audio_folder, draft
from foleybench.artefacts import result as results
from foleybench.artefacts.audio_folder import ClipProblem
from foleybench.artefacts.clip_table import ClipTable
from foleybench.artefacts.fewer_clips import CAVEATS
from foleybench.artefacts.match import leftovers, match
from foleybench.errors import FoleyError
from foleybench.features.featurise import encoders_of, needs_of
from foleybench.files import file_sha256
from foleybench.lists.subsets import Subset
from foleybench.media.band import BandLimit
from foleybench.runtime import provenance
from foleybench.runtime.precision import DRAFT, WHOLE, Precision, require_precision
from foleybench.runtime.private_paths import facts_without_places, word_without_places
from foleybench.runtime.progress import Progress
from foleybench.scoring import matched_band, takes
from foleybench.scoring.captions import read_captions
from foleybench.scoring.choice import Choice, choose, protocol_of
from foleybench.scoring.records import pooled
from foleybench.scoring.scorer import ClipToScore, ScorerRecipe
from foleybench.scoring.weights_here import require_weights
from foleybench.scoring.workers import Engine, score_clips
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.folder_dataset import has_picture, open_dataset

_LEFTOVERS_NAMED = 100
# What ``generation.json`` says of single clips, which a result leaves out.
_OF_CLIPS = ("seconds", "untimed")


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvalRequest:
    """The audio to score, and the settings.

    Attributes:
        data: Manifest of the data set: of shards, or a folder's listing (``shards.folder_dataset.list_folder``).
        audio: Folder with the generated audio; several takes of a clip as ``artefacts.match`` says.
        protocol: Registry name or ``path/to/file.py:NAME``; None for ``metrics`` alone, on whole clips.
        metrics: Metrics in addition to the protocol's, named in the same way.
        model: The result's ``model`` section: ``name`` (letters, digits and ._+-) and ``kind`` (``model``,
            ``baseline``, ``folder``, ``oracle``, ``control``), and further facts for tables.
        names: Name map for files whose names are not the clips'.
        limit: Score only the first clips (the result is then partial), or None.
        seed: Seed of the intervals.
        resamples: Number of random sign vectors that an interval is made from.
        device: Torch device of the encoders.
        cache: Folder of the feature cache, or None.
        only: Score only these of the protocol's metrics (the result is then partial), or None for all.
        jobs: Number of processes that score clips.
        engine: ``local``, or ``ray`` to score on a cluster.
        subset: Score only its clips (the result says which subset), or None for all.
        captions: Table of captions in place of what the manifest says (``scoring.captions``), or None.
        match_bandwidth: Score also against the real sound limited to the band of the generated one.
        precision: ``bf16`` for a draft: encoders' networks run in bfloat16 where the device has it, and the result is
            named and marked as a draft (``artefacts.draft``).

    Example:
        >>> from foleybench import EvalRequest
        >>> EvalRequest(data=manifest, audio=folder, protocol="synth", model={"name": "mine", "kind": "model"}).jobs
        1
    """

    data: Path
    audio: Path
    protocol: str | None
    model: dict[str, Any]
    metrics: tuple[str, ...] = ()
    names: Path | None = None
    limit: int | None = None
    seed: int = 0
    resamples: int = 1000
    device: str = "cpu"
    cache: Path | None = None
    only: tuple[str, ...] | None = None
    jobs: int = 1
    engine: Engine = "local"
    subset: Subset | None = None
    captions: Path | None = None
    match_bandwidth: bool = False
    precision: Precision = WHOLE

    @property
    def row(self) -> dict[str, Any]:
        """The ``model`` section that the result will have."""
        return draft.as_draft(self.model) if self.precision == DRAFT else self.model


def evaluate(request: EvalRequest) -> tuple[dict[str, Any], ClipTable]:
    """Score an audio folder, as ``foleybench eval --audio`` does.

    Args:
        request: The audio to score, and the settings.

    Returns:
        The result (without its ``clips`` section) and the clip table, ready for ``artefacts.result.write_result``. A
        metric's record has ``value`` and the 95 % interval from ``low`` to ``high``, in its ``unit``; None where
        undefined, with the ``reason``; ``matched`` has those of matched bandwidth. No text in it names a folder outside
        of the current one (``runtime.private_paths``). The table has a row for every clip asked for.

    Raises:
        FoleyError: Nothing could be scored, weights are missing, the device has no bfloat16 for a draft, or the
            request makes no sense.

    Example:
        The real audio of six clips, six decibels quieter:

        >>> from foleybench import EvalRequest, ShardDataset, evaluate
        >>> from foleybench.media.audio import write_wav
        >>> for clip in ShardDataset(manifest).clips(video=False):
        ...     write_wav(folder / f"{clip.clip_id}.wav", 0.5 * clip.audio, clip.rate_hz)
        >>> system = {"name": "quieter", "kind": "model"}
        >>> asked = EvalRequest(data=manifest, audio=folder, protocol=None, metrics=("level_difference",), model=system)
        >>> result, rows = evaluate(asked)
        >>> record = result["metrics"]["level_difference"]
        >>> round(record["value"], 2), record["unit"], record["n_used"], len(rows)
        (6.02, 'dB', 6, 6)
    """
    require_precision(request.precision, request.device)
    choice = choose(request.protocol, request.metrics)
    metrics = {name: metric for name, metric in choice.metrics.items() if request.only is None or name in request.only}
    results.require_safe_name(request.row["name"], "name")
    require_weights(metrics)
    # Hash the code now: somebody may edit it while clips are scored.
    origins = {name: choice.origin(name) for name in metrics}
    data = open_dataset(request.data)
    require_pictures(data, metrics)
    results.require_safe_name(data.name, f"{request.data}: data set")
    chosen = chosen_ids(data, request.subset)
    clip_ids = chosen[: request.limit]
    found = _score_clips(request, data, clip_ids, choice, metrics)
    rows, problems = found.rows, found.problems
    if not any(row["stats"] for row in rows):
        raise FoleyError(
            f"no clip of {request.data.name} could be scored with {request.audio}: {_first_words(problems)} "
            "Give the files the names of the clips, or give --names."
        )
    bootstrap = _Bootstrap(seed=request.seed, resamples=request.resamples)
    records = {name: pooled(name, metric, rows, **bootstrap) | origins[name] for name, metric in metrics.items()}
    if found.n_takes > 1:
        records = {name: record | _over_takes(name, metrics[name], record, found) for name, record in records.items()}
    asked = (len(chosen), len(choice.metrics) + len(choice.left_out))
    run = _run(request, metrics) | _extras(request, data, found)
    if request.match_bandwidth:
        limit, n_clips = matched_band.measure(data, found.wanted, choice.protocol)
        run["matched_band"] = {"hz": limit.end_hz if limit else None, "n_clips": n_clips}
        if limit:
            rows.add_matched(_score_clips(request, data, clip_ids, choice, metrics, limit).rows)
        records = matched_band.with_matched(records, metrics, rows, limited=limit is not None, **bootstrap)
    result = _result(request, data, found, records, asked) | {"protocol": choice.facts(), "run": run}
    # Results are published, and messages on files name folders of this machine.
    public: dict[str, Any] = facts_without_places(result, (request.audio, request.data.parent))
    return public, rows


def _result(
    request: EvalRequest, data: ShardDataset, found: _Found, records: Mapping[str, Any], asked: tuple[int, int]
) -> dict[str, Any]:
    """Return a result's facts on system, clips and metrics; ``asked`` are the numbers of clips and of metrics."""
    n_clips, n_metrics = asked
    scored = sum(bool(row["stats"]) for row in found.rows)
    whole = scored == n_clips and len(records) == n_metrics
    complete = whole and all(problem.kind in CAVEATS for problem in found.problems)
    status = "complete" if complete else "partial"
    return {
        "schema": results.SCHEMA,
        "status": draft.STATUS if request.precision == DRAFT else status,
        "model": _public_model(request.row),
        "dataset": {
            "name": data.name,
            "split": data.manifest.header.split,
            "manifest_sha256": data.manifest.sha256,
            "n_clips": n_clips,
            "n_scored": scored,
            **_listed(data, request.subset, n_clips),
            **_subset_facts(data, request.subset),
        },
        "metrics": records,
        "problems": [dataclasses.asdict(problem) for problem in found.problems],
    }


def chosen_ids(data: ShardDataset, subset: Subset | None) -> list[str]:
    """Return the clips to score, in the manifest's order.

    Raises:
        FoleyError: The data set has no usable clip, or none of the subset's.
    """
    data.require_clips()
    chosen = [one.clip_id for one in data.entries() if subset is None or subset.has(one.clip_id, one.source_id)]
    if subset is not None and not chosen:
        raise FoleyError(
            f"none of the {len(subset.ids)} clips of subset {subset.name} is among the {len(data)} of {data.name}, "
            f"which are called as {data.clip_ids[0]}. Leave the subset out, or name the data that it is of."
        )
    return chosen


def _listed(data: ShardDataset, subset: Subset | None, n_clips: int) -> dict[str, int]:
    """Return the number of clips that the manifest asks for, where some of these are not usable."""
    listed = data.manifest.entries
    n_listed = sum(subset is None or subset.has(entry.clip_id, entry.source_id) for entry in listed)
    return {"n_listed": n_listed} if n_listed > n_clips else {}


def _subset_facts(data: ShardDataset, subset: Subset | None) -> dict[str, Any]:
    """Return a result's subset: the one asked for, else the one that the data was prepared with."""
    if subset is not None:
        return {"subset": {**subset.facts(), "n_here": len(chosen_ids(data, subset))}}
    prepared = data.manifest.header.profile.get("subset")
    return {"subset": {**prepared, "n_here": len(data.clip_ids)}} if prepared else {}


def _first_words(problems: Sequence[ClipProblem]) -> str:
    return f"{problems[0].clip_id}: {problems[0].kind}, {problems[0].detail}." if problems else "there are no clips."


class _Bootstrap(TypedDict):
    """How intervals are made."""

    seed: int
    resamples: int


@dataclasses.dataclass
class _Found:
    """What scoring gave: a row per clip, problems, a table per take, files of no clip, whether channels became one."""

    rows: ClipTable
    problems: list[ClipProblem]
    takes: list[ClipTable]
    n_takes: int
    leftovers: list[str]
    wanted: list[ClipToScore]
    several_channels: bool = False


def _score_clips(
    request: EvalRequest,
    data: ShardDataset,
    clip_ids: Sequence[str],
    choice: Choice,
    metrics: Mapping[str, Metric],
    limit: BandLimit | None = None,
) -> _Found:
    """Return a row for every clip asked for, and every problem met; ``limit`` cuts the real sound."""
    matched = match(request.audio, {entry.clip_id: entry.source for entry in data.entries()}, request.names)
    generation = audio_folder.read_generation(request.audio) or {}
    seconds: dict[str, float] = generation.get("seconds", {})
    refused = audio_folder.refused_clips(generation)
    files = {clip_id: matched.files.get(clip_id) or (None,) for clip_id in clip_ids}
    wanted = [
        ClipToScore(clip_id, path, seconds.get(clip_id), take)
        for clip_id, paths in files.items()
        for take, path in enumerate(paths)
    ]
    recipe = ScorerRecipe(
        data=request.data,
        protocol=choice.protocol_name,
        metrics=tuple(choice.names[name] for name in metrics),
        device=request.device,
        cache=request.cache,
        report_silence=request.model["kind"] != "control",
        captions=request.captions,
        reference_gain=tuple(limit.gain.tolist()) if limit else None,
        precision=request.precision,
    )
    n_takes = [len(paths) for paths in files.values()]
    common = min(n_takes, default=1) if max(n_takes, default=1) > 1 else 0
    tables = [ClipTable() for _ in range(common)]
    found = _Found(ClipTable(), [], tables, max(n_takes, default=1), list(leftovers(matched)), wanted)
    upto = f" to {limit.end_hz:g} Hz" if limit else ""
    bar = Progress(total=len(clip_ids), desc=f"eval {request.row['name']}{upto}", unit="clip")
    with bar, contextlib.closing(score_clips(recipe, wanted, jobs=request.jobs, engine=request.engine)) as scored:
        for clip_id, paths in files.items():
            rows = []
            for take, clip in enumerate(itertools.islice(scored, len(paths))):
                told = [_as_generated(problem, refused) for problem in clip.problems]
                found.problems.extend(_of_take(problem, take, len(paths)) for problem in told)
                rows.append(clip.row)
                found.several_channels |= clip.several_channels
            found.rows.add(takes.joined_takes(rows, metrics))
            for table, row in zip(found.takes, rows, strict=False):
                table.add(row)
            if len(rows) < found.n_takes and matched.files.get(clip_id):
                few = f"{len(rows)} takes, where other clips have {found.n_takes}"
                found.problems.append(ClipProblem(clip_id, "fewer_takes", few))
            bar.update()
    return found


def _of_take(problem: ClipProblem, take: int, n_takes: int) -> ClipProblem:
    return problem if n_takes == 1 else dataclasses.replace(problem, detail=f"take {take}: {problem.detail}")


def _over_takes(name: str, metric: Metric, record: Mapping[str, Any], found: _Found) -> dict[str, Any]:
    """Return a metric's facts on several takes: their standard deviation, or why there is no value."""
    if why := takes.not_joined(metric):
        return {"reason": why}
    spread = takes.spread(name, metric, found.takes)
    return {"takes": spread} if spread and record["value"] is not None else {}


def _extras(request: EvalRequest, data: ShardDataset, found: _Found) -> dict[str, Any]:
    """Return the run's facts on takes, channels and captions."""
    extras: dict[str, Any] = {"takes": found.n_takes} if found.n_takes > 1 else {}
    if found.leftovers:
        extras["leftovers"] = {"n": len(found.leftovers), "first": found.leftovers[:_LEFTOVERS_NAMED]}
    if found.several_channels:
        extras["channels"] = protocol_of(request.protocol).frontend.channels
    if request.captions is not None:
        n_clips = len(read_captions(request.captions, data))
        extras["captions"] = {"sha256": file_sha256(request.captions), "n_clips": n_clips}
    return extras


def require_pictures(data: ShardDataset, metrics: Mapping[str, Metric]) -> None:
    """Refuse metrics that use the video for a data set of audio alone.

    Raises:
        FoleyError: Names the metrics.
    """
    if has_picture(data.entries()):
        return
    looking = [name for name, metric in metrics.items() if looks(metric)]
    if looking:
        raise FoleyError(
            f"{data.name} is of audio alone, and {', '.join(looking)} compare audio with video. Take a protocol "
            "without them (`--protocol signal`, or `--metric`), or give videos with the real audio."
        )


def looks(metric: Metric) -> bool:
    """Return whether a metric needs the video."""
    return any(encoder.sees for encoder in encoders_of(needs_of({"": metric})).values())


def _as_generated(problem: ClipProblem, refused: Mapping[str, tuple[str, str]]) -> ClipProblem:
    """Return a problem; audio missing because the model made none gets the reason for that instead."""
    if problem.kind == "missing" and problem.clip_id in refused:
        return ClipProblem(problem.clip_id, *refused[problem.clip_id])
    return problem


def _run(request: EvalRequest, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    encoders = {}
    for name, encoder in encoders_of(needs_of(metrics)).items():
        sha256 = file_sha256(encoder.weights.path) if encoder.weights else None
        encoders[name] = {"version": encoder.version, "weights_sha256": sha256}
    generation = audio_folder.read_generation(request.audio)
    if generation and "model" in generation:
        generation = {**generation, "model": _public_model(generation["model"])}
    return {
        **run_facts(request.seed, request.resamples, request.device),
        **({} if request.precision == WHOLE else {"precision": request.precision}),
        "encoders": encoders,
        "generation": {k: v for k, v in generation.items() if k not in _OF_CLIPS} if generation else None,
    }


def _public_model(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model's facts; a model of a file is named without the way to its folder."""
    name = model.get("registry_name")
    return {**model, "registry_name": word_without_places(name)} if isinstance(name, str) else dict(model)


def run_facts(seed: int, resamples: int, device: str) -> dict[str, Any]:
    """Return a result's facts about its run."""
    return {
        "command": provenance.command_line(),
        "seed": seed,
        "resamples": resamples,
        "git": provenance.git_state(),
        "packages": provenance.package_versions(),
        "device": device,
    }
