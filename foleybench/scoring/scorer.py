"""From a clip to its row of statistics.

A ``Scorer`` takes clips in chunks; sound and picture of a chunk are dropped as soon as its features are made, so memory
does not grow with the number or the length of clips. What is left of a clip is its statistics. A row does not depend on
the other clips of its chunk, so chunks may be scored anywhere: in this process, in others (``workers``).
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from foleybench import registry
from foleybench.api.encoder import Features
from foleybench.api.metric import ClipView, Metric, Need
from foleybench.api.protocol import Protocol
from foleybench.artefacts.audio_folder import Problem
from foleybench.artefacts.clip_table import ClipRow
from foleybench.clips import Clip, Clock, FloatArray, FrameArray
from foleybench.errors import ManifestError
from foleybench.features.cache import FeatureCache
from foleybench.features.featurise import (
    CAPTION,
    PICTURE,
    Featuriser,
    Job,
    Material,
    job,
    needs_of,
)
from foleybench.media.audio import fit_length
from foleybench.runtime.threads import one_thread
from foleybench.scoring.admit import admit
from foleybench.scoring.choice import load_protocol
from foleybench.shards.dataset import ShardDataset

CHUNK = 16
# Ten seconds of 256 px pictures are 65 MB a clip, more once an encoder has made floats of them.
CHUNK_WITH_PICTURES = 4
# A GPU wants large batches.
CHUNK_ON_GPU = 64
# Kind of problem: a shard does not hold the clip that its manifest names.
BAD_DATA = "bad_data"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a scorer needs to know; it can be sent to another process.

    Attributes:
        data: Manifest of the data set.
        protocol: Registry name, or a file with its whole path and ``:NAME``; None for metrics alone.
        metrics: The metrics to measure, named in the same way.
        device: Torch device of the encoders.
        cache: Folder of the feature cache, or None.
        silence_told: Whether silent sound is a problem (it is not in a control row that is made of it).
    """

    data: Path
    protocol: str | None
    metrics: tuple[str, ...]
    device: str = "cpu"
    cache: Path | None = None
    silence_told: bool = True


class Wanted(NamedTuple):
    """A clip to score.

    Attributes:
        clip_id: Which.
        path: File with its generated sound, or None when there is none.
        seconds: How long its generation took, or None when not reported.
    """

    clip_id: str
    path: Path | None
    seconds: float | None


# A clip's row, its statistics still arrays, and what is to be told of the clip.
Scored = tuple[ClipRow, list[Problem]]


@dataclasses.dataclass(frozen=True)
class _Loaded:
    """A clip with what encoders may be given of it, as long as the protocol wants it."""

    clip: Clip
    material: Material
    seconds: float | None


class Scorer:
    """Scores chunks of clips of one data set under one protocol."""

    def __init__(self, recipe: Recipe, tell: Callable[[str], object] | None = None) -> None:
        """Set it up.

        Args:
            recipe: What to score, and how.
            tell: As of ``FeatureCache``.
        """
        self._recipe = recipe
        self._data = ShardDataset(recipe.data)
        self._protocol = load_protocol(recipe.protocol)
        self._metrics: dict[str, Metric] = {
            registry.key(name): registry.load("metrics", name) for name in recipe.metrics
        }
        jobs = {job(need.encoder, need.of) for need in needs_of(self._metrics)}
        cache = FeatureCache(recipe.cache, tell)
        self._featuriser = Featuriser(jobs, recipe.device, cache, self._protocol.frontend)

    @property
    def chunk(self) -> int:
        """How many clips to take at a time."""
        if any(encoder.sees for encoder in self._featuriser.encoders.values()):
            return CHUNK_WITH_PICTURES
        return CHUNK if self._recipe.device == "cpu" else CHUNK_ON_GPU

    def __call__(self, wanted: Sequence[Wanted]) -> list[Scored]:
        """Return a row, and the problems met, for every clip asked for, in order."""
        loaded: dict[str, _Loaded] = {}
        problems: dict[str, list[Problem]] = {}
        for clip in wanted:
            item, found = _load(self._data, clip.clip_id, clip.path, self._protocol, clip.seconds)
            problems[clip.clip_id] = [p for p in found if self._recipe.silence_told or p.kind != "silent"]
            if item:
                loaded[clip.clip_id] = item
        features = self._features(loaded, problems)
        scored = []
        for clip in wanted:
            item = loaded.get(clip.clip_id)
            found_now = (item, features[clip.clip_id]) if item else None
            row, later = _row(self._data, clip.clip_id, found_now, self._metrics)
            scored.append((row, problems[clip.clip_id] + later))
        return scored

    def _features(
        self, loaded: dict[str, _Loaded], problems: Mapping[str, list[Problem]]
    ) -> dict[str, dict[Job, Features]]:
        """Return features by clip; a clip whose video is not the recorded one is named and leaves ``loaded``."""
        while True:
            try:
                with one_thread():
                    made = self._featuriser([item.material for item in loaded.values()])
            except _BadVideoError as error:
                problems[error.clip_id].append(Problem(error.clip_id, BAD_DATA, str(error)))
                del loaded[error.clip_id]
            else:
                return dict(zip(loaded, made, strict=True))


class _BadVideoError(Exception):
    """The video of a clip, read when an encoder wants it, is not the one that the manifest recorded."""

    def __init__(self, clip_id: str, what: str) -> None:
        super().__init__(what)
        self.clip_id = clip_id


def _load(
    data: ShardDataset, clip_id: str, path: Path | None, protocol: Protocol, seconds: float | None
) -> tuple[_Loaded | None, list[Problem]]:
    try:
        clip = data.load(clip_id, video=False)
    except ManifestError as error:
        return None, [Problem(clip_id, BAD_DATA, str(error))]
    duration_s = min(clip.duration_s, protocol.crop_s or clip.duration_s)
    audio, rate_hz, problems = admit(clip_id, path, clip.duration_s, protocol)
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
        caption=clip.label,
    )
    return _Loaded(dataclasses.replace(clip, duration_s=duration_s, audio=None), material, seconds), problems


def _look(data: ShardDataset, clip_id: str) -> tuple[FrameArray, FloatArray]:
    try:
        clip = data.load(clip_id, audio=False)
    except ManifestError as error:
        raise _BadVideoError(clip_id, str(error)) from error
    assert clip.frames is not None
    return clip.frames, clip.frame_times_s


def _row(
    data: ShardDataset,
    clip_id: str,
    found: tuple[_Loaded, dict[Job, Features]] | None,
    metrics: Mapping[str, Metric],
) -> tuple[ClipRow, list[Problem]]:
    """Return the clip's line: statistics of each metric (null where it does not apply), nothing when not scored."""
    entry = data.entry(clip_id)
    row: ClipRow = {
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
        if any(job(need.encoder, need.of) not in features for need in metric.needs.values()):
            row["stats"][name] = None  # Without a caption it does not apply.
            continue
        bad = _not_finite(metric, features)
        if bad:
            problems.append(Problem(clip_id, "bad_features", f"{name}: {bad} holds a value that is not finite"))
            continue
        stat = metric.per_clip(_view(item, metric, features))
        row["stats"][name] = stat
    return row, problems


def _not_finite(metric: Metric, features: Mapping[Job, Features]) -> str:
    for need in metric.needs.values():
        if not np.isfinite(_feature(features, need)).all():
            return f"{need.encoder}.{need.layer} of the {need.of}{'' if need.of in (PICTURE, CAPTION) else ' sound'}"
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
