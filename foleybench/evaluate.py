"""Score an audio folder: decode each clip once, run every encoder that is needed once, then only arithmetic.

Clips pass through in chunks: sound and picture of a chunk are dropped as soon as its features are made, so memory does
not grow with the number or the length of clips. What is left of a clip is its statistics.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from foleybench import audio_folder, provenance, registry, results, stats
from foleybench.audio_folder import Problem
from foleybench.clips import Clip, Clock, FloatArray, FrameArray
from foleybench.encoders import Encoder, Features
from foleybench.errors import FoleyError
from foleybench.feature_cache import FeatureCache
from foleybench.featurise import PICTURE, Featuriser, Job, Material, in_order, job
from foleybench.metrics import ClipView, Metric, Need, Stat
from foleybench.protocols import Protocol
from foleybench.shards import ShardDataset
from foleybench.sound import fit_length
from foleybench.weights import file_sha256, require

CHUNK = 16
# Kinds of problem that are told but do not stop a clip from being scored.
_SCORED_KINDS = {"short", "long", "silent"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What to score, and how.

    Attributes:
        data: Manifest of the data set.
        audio: Folder with the generated sound.
        protocol: Registry name.
        model: The result's ``model`` section.
        names: Name map for files whose stem is not the clip id.
        limit: Score only the first clips (the result is then partial), or None.
        seed: Seed of the bootstrap.
        resamples: Number of bootstrap resamples.
        device: Torch device of the encoders.
        cache: Folder of the feature cache, or None.
        only: Score only these of the protocol's metrics (the result is then partial), or None for all.
    """

    data: Path
    audio: Path
    protocol: str
    model: dict[str, Any]
    names: Path | None = None
    limit: int | None = None
    seed: int = 0
    resamples: int = 1000
    device: str = "cpu"
    cache: Path | None = None
    only: tuple[str, ...] | None = None


@dataclasses.dataclass(frozen=True)
class _Loaded:
    """A clip with what encoders may be given of it, as long as the protocol wants it."""

    clip: Clip
    material: Material
    seconds: float | None


def evaluate(request: Request) -> tuple[dict[str, Any], list[results.ClipRow]]:
    """Score an audio folder.

    Returns:
        The result (without its ``clips`` section) and the clip table, ready for ``results.write``.

    Raises:
        FoleyError: Nothing could be scored, weights are missing, or the request makes no sense.
    """
    data = ShardDataset(request.data)
    protocol: Protocol = registry.load("protocols", request.protocol)
    wanted = [name for name in protocol.metrics if request.only is None or name in request.only]
    metrics: dict[str, Metric] = {name: registry.load("metrics", name) for name in wanted}
    _require_weights(metrics)
    clip_ids = data.clip_ids[: request.limit]
    rows, problems = _score_clips(request, data, clip_ids, protocol, metrics)
    if not any(row["stats"] for row in rows):
        raise FoleyError(
            f"no clip of {request.data.name} could be scored with {request.audio}: {_first_words(problems)} "
            "Match file names to clip ids, or give --names."
        )
    records = {name: _pool(name, metric, rows, request) for name, metric in metrics.items()}
    scored = sum(bool(row["stats"]) for row in rows)
    whole = scored == len(data.clip_ids) and len(metrics) == len(protocol.metrics)
    complete = whole and all(p.kind in _SCORED_KINDS for p in problems)
    result = {
        "schema": results.SCHEMA,
        "status": "complete" if complete else "partial",
        "model": request.model,
        "dataset": {
            "name": data.name,
            "split": data.manifest.header.split,
            "manifest_sha256": data.manifest.sha256,
            "n_clips": len(data.clip_ids),
            "n_scored": scored,
        },
        "protocol": {"name": request.protocol, "version": protocol.version},
        "metrics": records,
        "problems": [dataclasses.asdict(problem) for problem in problems],
        "run": _run(request, metrics),
    }
    return result, rows


def source_sha256(kind: str, name: str) -> str:
    """Return the SHA-256 of the file that defines a name."""
    package, _ = registry.KINDS[kind]
    path = importlib.import_module(f"{package}.{name}").__file__
    return hashlib.sha256(Path(str(path)).read_bytes()).hexdigest()


def _first_words(problems: Sequence[Problem]) -> str:
    return f"{problems[0].clip_id}: {problems[0].kind}, {problems[0].detail}." if problems else "there are no clips."


def _needs(metrics: Mapping[str, Metric]) -> list[Need]:
    return sorted(
        {need for metric in metrics.values() for need in metric.needs.values()},
        key=lambda need: (need.encoder, need.layer, need.of),
    )


def _encoders(needs: Sequence[Need]) -> dict[str, Encoder]:
    """Return the encoders that the needs name, and those that these come after, by name."""
    names = {name for name, _ in in_order(job(need.encoder, need.of) for need in needs)}
    return {name: registry.load("encoders", name) for name in sorted(names)}


def cannot_run(metric: str) -> str:
    """Return why a metric cannot be computed on this machine, or "" when it can."""
    try:
        _require_weights({metric: registry.load("metrics", metric)})
    except FoleyError as error:
        return str(error)
    return ""


def _require_weights(metrics: Mapping[str, Metric]) -> None:
    for name, encoder in _encoders(_needs(metrics)).items():
        if encoder.weights:
            require(name, encoder.weights)


def _score_clips(
    request: Request, data: ShardDataset, clip_ids: Sequence[str], protocol: Protocol, metrics: Mapping[str, Metric]
) -> tuple[list[results.ClipRow], list[Problem]]:
    """Return a row for every clip asked for, and every problem met."""
    files = audio_folder.find_files(request.audio, clip_ids, request.names)
    generation = audio_folder.read_generation(request.audio) or {}
    seconds: dict[str, float] = generation.get("seconds", {})
    jobs = {job(need.encoder, need.of) for need in _needs(metrics)}
    featuriser = Featuriser(jobs, request.device, FeatureCache(request.cache), protocol.frontend)
    rows: list[results.ClipRow] = []
    problems: list[Problem] = []
    bar = tqdm(total=len(clip_ids), desc=f"eval {request.model['name']}", unit="clip", disable=None)
    for start in range(0, len(clip_ids), CHUNK):
        chunk = clip_ids[start : start + CHUNK]
        loaded = []
        for clip_id in chunk:
            item, found = _load(data, clip_id, files.get(clip_id), protocol, seconds.get(clip_id))
            problems += found if request.model["kind"] != "control" else [p for p in found if p.kind != "silent"]
            if item:
                loaded.append(item)
        features = featuriser([item.material for item in loaded])
        by_id = {item.clip.clip_id: (item, found) for item, found in zip(loaded, features, strict=True)}
        for clip_id in chunk:
            row, found_now = _row(data, clip_id, by_id.get(clip_id), metrics)
            rows.append(row)
            problems += found_now
        bar.update(len(chunk))
    bar.close()
    return rows, problems


def _load(
    data: ShardDataset, clip_id: str, path: Path | None, protocol: Protocol, seconds: float | None
) -> tuple[_Loaded | None, list[Problem]]:
    clip = data.load(clip_id, video=False)
    duration_s = min(clip.duration_s, protocol.crop_s or clip.duration_s)
    audio, rate_hz, problems = audio_folder.admit(clip_id, path, clip.duration_s, protocol)
    if audio is None or clip.audio is None:
        return None, problems
    clock = Clock(duration_s)
    material = Material(
        duration_s=duration_s,
        sounds={
            "generated": (fit_length(audio, clock.samples(rate_hz)), rate_hz),
            "reference": (fit_length(clip.audio, clock.samples(clip.rate_hz)), clip.rate_hz),
        },
        picture_sha256=str(data.entry(clip_id).video_sha256),
        look=lambda: _look(data, clip_id),
    )
    return _Loaded(dataclasses.replace(clip, duration_s=duration_s, audio=None), material, seconds), problems


def _look(data: ShardDataset, clip_id: str) -> tuple[FrameArray, FloatArray]:
    clip = data.load(clip_id, audio=False)
    if clip.frames is None:
        raise FoleyError(f"clip {clip_id} has no picture in its shard; prepare the data again.")
    return clip.frames, clip.frame_times_s


def _row(
    data: ShardDataset,
    clip_id: str,
    found: tuple[_Loaded, dict[Job, Features]] | None,
    metrics: Mapping[str, Metric],
) -> tuple[results.ClipRow, list[Problem]]:
    """Return the clip's line: statistics of each metric (null where it does not apply), nothing when not scored."""
    entry = data.entry(clip_id)
    row: results.ClipRow = {
        "clip_id": clip_id,
        "source_id": entry.source_id,
        "label": entry.label,
        "duration_s": entry.facts.get("duration_s"),
        "stats": {},
    }
    if found is None:
        return row, []
    item, features = found
    audio, _ = item.material.sounds["generated"]
    row["audio_sha256"] = hashlib.sha256(audio.tobytes()).hexdigest()
    problems = []
    for name, metric in metrics.items():
        bad = _not_finite(metric, features)
        if bad:
            problems.append(Problem(clip_id, "bad_features", f"{name}: {bad} holds a value that is not finite"))
            continue
        stat = metric.per_clip(_view(item, metric, features))
        row["stats"][name] = None if stat is None else {key: np.asarray(value).tolist() for key, value in stat.items()}
    return row, problems


def _not_finite(metric: Metric, features: Mapping[Job, Features]) -> str:
    for need in metric.needs.values():
        if not np.isfinite(_feature(features, need)).all():
            return f"{need.encoder}.{need.layer} of the {need.of}{'' if need.of == PICTURE else ' sound'}"
    return ""


def _feature(features: Mapping[Job, Features], need: Need) -> npt.NDArray[Any]:
    return features[job(need.encoder, need.of)][need.layer]


def _view(item: _Loaded, metric: Metric, features: Mapping[Job, Features]) -> ClipView:
    clip = item.clip
    return ClipView(
        clip_id=clip.clip_id,
        source_id=clip.source_id,
        label=clip.label,
        duration_s=clip.duration_s,
        events=clip.events,
        features={name: _feature(features, need) for name, need in metric.needs.items()},
        seconds=item.seconds,
    )


def _pool(name: str, metric: Metric, rows: Sequence[results.ClipRow], request: Request) -> dict[str, Any]:
    """Pool one metric over the clips: value, interval, corrected value, per-class values, counts."""
    found = results.stats_of(rows, name)
    sources = {row["clip_id"]: row["source_id"] for row in rows}
    enough = len(found) >= metric.minimum_clips
    value = metric.pool(list(found.values())) if enough else float("nan")
    defined = bool(np.isfinite(value))
    interval = None
    if defined:
        rng = np.random.default_rng([request.seed, int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)])
        biased = metric.corrected is not None
        interval = stats.bootstrap(metric.pool, found, sources, rng=rng, resamples=request.resamples, centre=biased)
        interval = _within_bounds(interval, value, metric)
    corrected = metric.corrected(list(found.values())) if defined and metric.corrected else float("nan")
    not_applicable = sum(name in row["stats"] and row["stats"][name] is None for row in rows)
    few = f"{len(found)} applicable clips, at least {metric.minimum_clips} are needed"
    return {
        "version": metric.version,
        "source_sha256": source_sha256("metrics", name),
        "value": value if defined else None,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "level": 0.95,
        "corrected": corrected if np.isfinite(corrected) else None,
        "n_used": len(found),
        "n_asked": len(rows),
        "not_applicable": not_applicable,
        "unit": metric.unit,
        "better": metric.better,
        "reason": None if defined else (metric.undefined if enough or not found else few),
        "per_class": dict(_per_class(metric, found, rows)),
    }


def _within_bounds(interval: stats.Interval | None, value: float, metric: Metric) -> stats.Interval | None:
    """Cut a centred interval at the ideal value: no distance is below zero, no rate above one."""
    if interval is None or metric.ideal is None:
        return interval
    if metric.better == "lower":
        return stats.Interval(min(value, max(interval.low, metric.ideal)), max(value, interval.high))
    return stats.Interval(min(value, interval.low), max(value, min(interval.high, metric.ideal)))


def _per_class(
    metric: Metric, found: Mapping[str, Stat], rows: Sequence[results.ClipRow]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for label in sorted({row["label"] for row in rows}):
        chosen = [found[row["clip_id"]] for row in rows if row["label"] == label and row["clip_id"] in found]
        value = metric.pool(chosen) if len(chosen) >= max(1, metric.minimum_clips) else float("nan")
        yield label, {"value": value if np.isfinite(value) else None, "n": len(chosen)}


def _run(request: Request, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    encoders = {}
    for name, encoder in _encoders(_needs(metrics)).items():
        sha256 = file_sha256(encoder.weights.path) if encoder.weights else None
        encoders[name] = {"version": encoder.version, "weights_sha256": sha256}
    generation = audio_folder.read_generation(request.audio)
    return {
        "command": provenance.command_line(),
        "seed": request.seed,
        "resamples": request.resamples,
        "git": provenance.git_state(),
        "packages": provenance.package_versions(),
        "device": request.device,
        "encoders": encoders,
        "generation": {k: v for k, v in generation.items() if k != "seconds"} if generation else None,
    }
