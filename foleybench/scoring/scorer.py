"""Turn a clip into its row of statistics.

A ``Scorer`` takes clips in chunks; audio and video of a chunk are dropped as soon as its features are made, so memory
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
from foleybench.artefacts.audio_folder import ClipProblem
from foleybench.artefacts.clip_table import ClipRow
from foleybench.clips import AudioArray, Clip, Clock, FloatArray, FrameArray
from foleybench.errors import ManifestError
from foleybench.features.cache import FeatureCache
from foleybench.features.featurise import (
    CAPTION,
    PICTURE,
    EncoderMaterial,
    Featuriser,
    Job,
    ReadSides,
    job,
    needs_of,
)
from foleybench.media.audio import fit_length
from foleybench.media.band import at_lower_rate, band_limited
from foleybench.media.hear import hear_sides
from foleybench.runtime.precision import WHOLE, Precision
from foleybench.runtime.threads import one_thread
from foleybench.scoring.admit import SURPLUS_S, admit
from foleybench.scoring.captions import read_captions
from foleybench.scoring.choice import protocol_of
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.folder_dataset import REMARKS, open_dataset
from foleybench.shards.manifest import Entry

CHUNK = 16
# Ten seconds of 256 px frames are 65 MB a clip, more once an encoder has made floats of them.
CHUNK_WITH_PICTURES = 4
# A GPU wants large batches.
CHUNK_ON_GPU = 64
# Kind of problem: a shard does not hold the clip that its manifest names.
BAD_DATA = "bad_data"
# Kind of problem: a caveat about the real audio, which is used all the same.
ODD_REFERENCE = "odd_reference"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScorerRecipe:
    """The settings of a scorer, which can be sent to another process.

    Attributes:
        data: Manifest of the data set.
        protocol: Registry name, or a file with its whole path and ``:NAME``; None for metrics alone.
        metrics: The metrics to measure, named in the same way.
        device: Torch device of the encoders.
        cache: Folder of the feature cache, or None.
        report_silence: Whether silent sound is a problem (it is not in a control row that is made of it).
        captions: Table of captions in place of what the manifest says, or None.
        reference_gain: What is left of the real sound, by frequency (``media.band.BandLimit``); None: all of it.
        precision: Of the encoders' networks.
    """

    data: Path
    protocol: str | None
    metrics: tuple[str, ...]
    device: str = "cpu"
    cache: Path | None = None
    report_silence: bool = True
    captions: Path | None = None
    reference_gain: tuple[float, ...] | None = None
    precision: Precision = WHOLE


# A clip, and which of its takes.
Key = tuple[str, int]


class ClipToScore(NamedTuple):
    """A clip to score.

    Attributes:
        clip_id: The clip's id.
        path: File with its generated audio, or None when there is none.
        seconds: Seconds that generating the clip took, or None when not reported.
        take: Number of the take.
    """

    clip_id: str
    path: Path | None
    seconds: float | None
    take: int = 0

    @property
    def key(self) -> Key:
        """Clip id and take, which distinguish clips to score."""
        return self.clip_id, self.take


class Scored(NamedTuple):
    """What scoring a clip gave.

    Attributes:
        row: Its row, the statistics still arrays.
        problems: The problems met.
        several_channels: Whether the generated or the real audio had several channels, which became one.
    """

    row: ClipRow
    problems: list[ClipProblem]
    several_channels: bool = False


@dataclasses.dataclass(frozen=True)
class LoadedClip:
    """A clip as long as the protocol wants it.

    Attributes:
        clip: The clip, its sound in ``material``.
        material: What encoders may be given.
        seconds: How long its generation took, or None.
        clip_s: Its whole length in seconds.
        several_channels: As in ``Scored``.
    """

    clip: Clip
    material: EncoderMaterial
    seconds: float | None
    clip_s: float
    several_channels: bool


class Scorer:
    """Scores chunks of clips of one data set under one protocol."""

    def __init__(self, recipe: ScorerRecipe, tell: Callable[[str], object] | None = None) -> None:
        """Load data, metrics and encoders.

        Args:
            recipe: The settings.
            tell: As for ``FeatureCache``.
        """
        self._recipe = recipe
        self._data = open_dataset(recipe.data)
        self._captions = read_captions(recipe.captions, self._data) if recipe.captions else {}
        self._protocol = protocol_of(recipe.protocol)
        self._metrics: dict[str, Metric] = {
            registry.key(name): registry.load("metrics", name) for name in recipe.metrics
        }
        jobs = {job(need.encoder, need.of) for need in needs_of(self._metrics)}
        cache = FeatureCache(recipe.cache, tell)
        self._featuriser = Featuriser(jobs, recipe.device, cache, self._protocol.frontend, recipe.precision)

    @property
    def chunk(self) -> int:
        """Number of clips in a chunk."""
        if any(encoder.sees for encoder in self._featuriser.encoders.values()):
            return CHUNK_WITH_PICTURES
        return CHUNK if self._recipe.device == "cpu" else CHUNK_ON_GPU

    def __call__(self, wanted: Sequence[ClipToScore]) -> list[Scored]:
        """Return a row, and the problems met, for every clip asked for, in order."""
        loaded: dict[Key, LoadedClip] = {}
        problems: dict[Key, list[ClipProblem]] = {}
        for clip in wanted:
            item, found = load_clip(self._data, clip, self._protocol, self._captions, self._recipe.reference_gain)
            problems[clip.key] = [p for p in found if self._recipe.report_silence or p.kind != "silent"]
            if item:
                loaded[clip.key] = item
        features = self._features(loaded, problems)
        scored = []
        for clip in wanted:
            item = loaded.get(clip.key)
            found_now = (item, features[clip.key]) if item else None
            row, later = _row(self._data, clip.clip_id, found_now, self._metrics)
            several = item is not None and item.several_channels
            scored.append(Scored(row, problems[clip.key] + later, several))
        return scored

    def _features(
        self, loaded: dict[Key, LoadedClip], problems: Mapping[Key, list[ClipProblem]]
    ) -> dict[Key, dict[Job, Features]]:
        """Return features by clip; a clip whose video differs from the recorded one is named and removed."""
        while True:
            try:
                with one_thread():
                    made = self._featuriser([item.material for item in loaded.values()])
            except _BadVideoError as error:
                for key in [key for key in loaded if key[0] == error.clip_id]:
                    problems[key].append(ClipProblem(error.clip_id, BAD_DATA, str(error)))
                    del loaded[key]
            else:
                return dict(zip(loaded, made, strict=True))


class _BadVideoError(Exception):
    """The video of a clip, decoded for an encoder, differs from the one that the manifest recorded."""

    def __init__(self, clip_id: str, what: str) -> None:
        super().__init__(what)
        self.clip_id = clip_id


def load_clip(
    data: ShardDataset,
    wanted: ClipToScore,
    protocol: Protocol,
    captions: Mapping[str, str],
    reference_gain: tuple[float, ...] | None = None,
) -> tuple[LoadedClip | None, list[ClipProblem]]:
    """Return a clip with its real and its generated sound, None when it cannot be scored, and the problems met."""
    clip_id = wanted.clip_id
    try:
        clip = data.load(clip_id, video=False, channels=protocol.frontend.channels)
    except ManifestError as error:
        return None, [ClipProblem(clip_id, BAD_DATA, str(error))]
    duration_s = min(clip.duration_s, protocol.crop_s or clip.duration_s)
    audio, rate_hz, problems, n_channels = admit(clip_id, wanted.path, clip.duration_s, protocol)
    problems += [
        ClipProblem(clip_id, ODD_REFERENCE, f"{kind}: {detail}") for kind, detail in clip.factors.get(REMARKS, ())
    ]
    if audio is None or clip.audio is None:
        return None, problems
    clock = Clock(clip.duration_s if protocol.cut_resampled else duration_s)
    # Where the front end comes before the cut, it sees the whole file, as long as that is.
    audio = audio if protocol.cut_resampled else fit_length(audio, clock.samples(rate_hz))
    entry = data.entry(clip_id)
    real, real_hz = clip.audio, clip.rate_hz
    if reference_gain is not None:
        real, real_hz = _matched(real, real_hz, rate_hz, reference_gain)
    material = EncoderMaterial(
        duration_s=duration_s,
        sounds={
            "generated": (audio, rate_hz),
            "reference": (fit_length(real, clock.samples(real_hz)), real_hz),
        },
        picture_sha256=entry.video_sha256 or "",
        decode_video=(lambda: _decode_video(data, clip_id)) if entry.video_sha256 else None,
        caption=captions.get(clip_id) or caption_of(entry),
        read_sides={
            "generated": _generated_sides(wanted.path, clip.duration_s, len(audio)),
            "reference": _real_sides(data, clip, clock, rate_hz, reference_gain),
        },
    )
    cut = dataclasses.replace(clip, duration_s=duration_s, audio=None)
    several = max(n_channels, clip.n_channels) > 1
    return LoadedClip(cut, material, wanted.seconds, clip.duration_s, several), problems


def _generated_sides(path: Path | None, duration_s: float, n: int) -> ReadSides:
    """Return what reads left and right of generated audio: of one channel, that channel is heard on both."""

    def read() -> AudioArray | None:
        channels = hear_sides(path, max_s=duration_s + SURPLUS_S) if path else None
        if channels is None:
            return None
        fitted = [fit_length(channel, n) for channel in channels]
        return np.stack([fitted[0], fitted[-1]])

    return read


def _real_sides(
    data: ShardDataset, clip: Clip, clock: Clock, generated_hz: int, gain: tuple[float, ...] | None
) -> ReadSides:
    """Return what reads left and right of real audio; audio of one channel says nothing of where things sound."""

    def read() -> AudioArray | None:
        both, rate_hz = data.sides(clip.clip_id), clip.rate_hz
        if both is not None and gain is not None:
            made = [_matched(side, clip.rate_hz, generated_hz, gain) for side in both]
            both, rate_hz = np.stack([side for side, _ in made]), made[0][1]
        return None if both is None else np.stack([fit_length(side, clock.samples(rate_hz)) for side in both])

    return read


def _matched(audio: AudioArray, rate_hz: int, generated_hz: int, gain: tuple[float, ...]) -> tuple[AudioArray, int]:
    """Return real audio limited to the band of the generated audio, and its rate."""
    lowered, lowered_hz = at_lower_rate(audio, rate_hz, generated_hz)
    return band_limited(lowered, lowered_hz, np.array(gain)), lowered_hz


def caption_of(entry: Entry) -> str:
    """Return a clip's caption in the manifest, else its label; "" without either."""
    return str(entry.facts.get("caption") or entry.label)


def _decode_video(data: ShardDataset, clip_id: str) -> tuple[FrameArray, FloatArray]:
    try:
        clip = data.load(clip_id, audio=False)
    except ManifestError as error:
        raise _BadVideoError(clip_id, str(error)) from error
    assert clip.frames is not None
    return clip.frames, clip.frame_times_s


def _row(
    data: ShardDataset,
    clip_id: str,
    found: tuple[LoadedClip, dict[Job, Features]] | None,
    metrics: Mapping[str, Metric],
) -> tuple[ClipRow, list[ClipProblem]]:
    """Return the clip's line: statistics of each metric (null where it does not apply), nothing when not scored."""
    entry = data.entry(clip_id)
    row: ClipRow = {
        "clip_id": clip_id,
        "source_id": entry.source_id,
        "label": entry.label,
        "duration_s": entry.facts.get("duration_s", found[0].clip_s if found else None),
        "stats": {},
    }
    if found is None:
        return row, []
    item, features = found
    audio, rate_hz = item.material.sounds["generated"]
    audio = fit_length(audio, Clock(item.material.duration_s).samples(rate_hz))
    row["audio_sha256"] = hashlib.sha256(audio.tobytes()).hexdigest()
    problems = []
    for name, metric in metrics.items():
        if any(job(need.encoder, need.of) not in features for need in metric.needs.values()):
            row["stats"][name] = None  # Without a video, or a caption, it does not apply.
            continue
        bad = _not_finite(metric, features)
        if bad:
            problems.append(ClipProblem(clip_id, "bad_features", f"{name}: {bad} holds a value that is not finite"))
            continue
        stat = metric.per_clip(_view(item, metric, features))
        row["stats"][name] = stat
    return row, problems


def _not_finite(metric: Metric, features: Mapping[Job, Features]) -> str:
    for need in metric.needs.values():
        if not np.isfinite(_feature(features, need)).all():
            return f"{need.encoder}.{need.layer} of the {need.of}{'' if need.of in (PICTURE, CAPTION) else ' audio'}"
    return ""


def _feature(features: Mapping[Job, Features], need: Need) -> npt.NDArray[Any]:
    return features[job(need.encoder, need.of)][need.layer]


def _view(item: LoadedClip, metric: Metric, features: Mapping[Job, Features]) -> ClipView:
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
