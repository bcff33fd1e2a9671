"""Write the listening page: every system's audio on the video's clock."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from foleybench import registry
from foleybench.api.encoder import Encoder, Signal
from foleybench.api.metric import Metric
from foleybench.artefacts.audio_folder import find_files
from foleybench.artefacts.entries import ResultEntry, read_entry
from foleybench.clips import AudioArray, Clip, Clock, FloatArray
from foleybench.errors import FoleyError, MediaError
from foleybench.leaderboard import event_marks
from foleybench.media.audio import fit_length, flac_bytes, resample
from foleybench.media.hear import hear
from foleybench.pages import number_text, spectrogram
from foleybench.pages.clip_media import clip_ids_with_video, load_shown, video_bytes
from foleybench.pages.template import choose_clips, fill, trusted
from foleybench.pages.unit_words import NO_UNIT, unit_words
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.folder_dataset import open_dataset

_PACKAGE = "foleybench.leaderboard"
REAL = "real audio"
MOST_BYTES = 30_000_000
MOST_TRACKS = 9  # the number keys
_MOST_SCORES = 6


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportRequest:
    """The clips and systems to show, and the page's limits.

    Attributes:
        data: Manifest of the data set.
        audio: Name -> audio folder, in the order of the page.
        names: Name -> name map of that folder, where stems are not clip ids.
        results: Result files whose values per clip are shown beside the system of the same name.
        n_clips: Number of clips.
        seed: Seed of the choice of clips.
        most_bytes: The page stays below this size, with fewer clips if needed.
    """

    data: Path
    audio: Mapping[str, Path]
    names: Mapping[str, Path] = dataclasses.field(default_factory=dict)
    results: Sequence[Path] = ()
    n_clips: int = 12
    seed: int = 0
    most_bytes: int = MOST_BYTES


@dataclasses.dataclass(frozen=True)
class Sound:
    """One system's audio of one clip: the samples, or why there are none."""

    name: str
    audio: AudioArray | None
    rate_hz: int
    missing: str = ""


@dataclasses.dataclass(frozen=True)
class Report:
    """The page with its clips.

    Attributes:
        html: The page.
        clip_ids: The clips shown, in order.
        n_left_out: Chosen clips that did not fit.
        missing: (system, clip id, reason) for audio that is missing; a clip whose real audio or video cannot be read
            is not shown.
        strangers: Names of results that are no system of the page, so that their values are not shown.
    """

    html: str
    clip_ids: tuple[str, ...]
    n_left_out: int
    missing: tuple[tuple[str, str, str], ...]
    strangers: tuple[str, ...] = ()


def make_report(request: ReportRequest) -> Report:
    """Make the listening page.

    Raises:
        FoleyError: No clips with video, too many systems for the number keys, or a folder that is not there.
    """
    data = open_dataset(request.data)
    data.require_clips()
    clip_ids = clip_ids_with_video(data)
    if not clip_ids or request.n_clips < 1:
        raise FoleyError(
            f"{data.name} has {len(clip_ids)} usable clips with video, --clips is {request.n_clips}: there is nothing "
            "to show."
        )
    with_real = "ground_truth" not in request.audio
    if len(request.audio) + with_real > MOST_TRACKS:
        raise FoleyError(f"{len(request.audio)} systems and the real audio do not fit keys 1 to {MOST_TRACKS}.")
    chosen = choose_clips(clip_ids, request.n_clips, request.seed)
    sources = {clip_id: data.entry(clip_id).source for clip_id in clip_ids}
    files = {name: find_files(path, sources, request.names.get(name)) for name, path in request.audio.items()}
    scores = _Scores([read_entry(path) for path in request.results])
    views: list[dict[str, Any]] = []
    missing: list[tuple[str, str, str]] = []
    size = 200_000  # style, script and frame
    n_left_out = 0
    for place, clip_id in enumerate(chosen):
        try:
            view = _clip(data, clip_id, files, scores, with_real)
        except MediaError as error:
            missing.append((REAL, clip_id, error.reason))
            continue
        size += view["n_bytes"]
        if size > request.most_bytes:
            n_left_out = len(chosen) - place
            break
        views.append(view)
        missing += [(track["name"], clip_id, track["missing"]) for track in view["tracks"] if track["missing"]]
    if not views:
        raise FoleyError(_nothing_shown(request, missing, chosen[-n_left_out:] if n_left_out else []))
    return Report(
        html=_render(request, data, views, n_left_out),
        clip_ids=tuple(view["clip_id"] for view in views),
        n_left_out=n_left_out,
        missing=tuple(missing),
        strangers=tuple(sorted(scores.names - request.audio.keys())),
    )


def _nothing_shown(request: ReportRequest, missing: Sequence[tuple[str, str, str]], too_large: Sequence[str]) -> str:
    if not too_large:
        told = "; ".join(f"{clip_id}: {why}" for _, clip_id, why in missing[:3])
        return f"none of the clips drawn can be shown. {told}. Another --seed or more --clips draws others."
    return f"clip {too_large[0]} alone needs over {request.most_bytes / 1e6:.0f} MB; show fewer systems."


def _render(request: ReportRequest, data: ShardDataset, views: Sequence[Mapping[str, Any]], n_left_out: int) -> str:
    return fill(
        _PACKAGE,
        "report.html.j2",
        css=trusted("foleybench.pages", "theme.css") + trusted(_PACKAGE, "report.css"),
        js=trusted("foleybench.pages", "playback.js") + trusted(_PACKAGE, "report.js"),
        clips=views,
        dataset=f"{data.name} / {data.manifest.header.split}",
        manifest_sha256=data.manifest.sha256,
        n_total=len(data),
        n_left_out=n_left_out,
        seed=request.seed,
        limit_mb=f"{request.most_bytes / 1e6:.0f}",
        tolerance_ms=round(1000 * event_marks.TOLERANCE_S),
    )


def _clip(
    data: ShardDataset, clip_id: str, files: Mapping[str, Mapping[str, Path]], scores: _Scores, with_real: bool
) -> dict[str, Any]:
    """Return everything that the page needs to show one clip."""
    clip = load_shown(data, clip_id)
    video = spectrogram.data_uri("video/mp4", video_bytes(data, clip))
    sounds = [_load(name, found.get(clip_id), clip) for name, found in files.items()]
    real = Sound(REAL, clip.audio, clip.rate_hz)
    if with_real:
        sounds.insert(0, real)
    levels = [None if s.audio is None else spectrogram.levels_db(s.audio, s.rate_hz) for s in sounds]
    top_db = max((float(level.max()) for level in levels if level is not None), default=0.0)
    wanted = event_marks.wanted_times_s(clip)
    reference = _onsets(real, clip) if wanted is None else wanted
    tracks = [
        _track(sound, level, top_db, reference, clip, scores) for sound, level in zip(sounds, levels, strict=True)
    ]
    return {
        "clip_id": clip_id,
        "label": clip.label,
        "duration_s": clip.duration_s,
        "video": video,
        "tracks": tracks,
        "exact": wanted is not None,
        "n_wanted": len(reference),
        "n_bytes": len(video) + sum(track["n_bytes"] for track in tracks),
    }


def _load(name: str, path: Path | None, clip: Clip) -> Sound:
    if path is None:
        return Sound(name, None, 0, "no file for this clip in the audio folder")
    try:
        audio, rate_hz, *_ = hear(path, max_s=clip.duration_s + 1.0)
    except MediaError as error:
        return Sound(name, None, 0, error.reason.replace(str(path), path.name))
    return Sound(name, fit_length(audio, Clock(clip.duration_s).samples(rate_hz)), rate_hz)


def _onsets(sound: Sound, clip: Clip) -> FloatArray:
    """Return the onsets that ``event_f1`` counts where events are exact, else those that ``onset_agreement`` does."""
    if sound.audio is None or not len(sound.audio):
        return np.zeros(0)
    encoder: Encoder = registry.load("encoders", "onsets")
    audio = resample(sound.audio, sound.rate_hz, encoder.rate_hz)
    (found,) = encoder.build("cpu")([Signal(audio=audio, duration_s=clip.duration_s)])
    return found["inner_times_s" if clip.events is None else "times_s"]


def _track(
    sound: Sound, levels: FloatArray | None, top_db: float, reference: FloatArray, clip: Clip, scores: _Scores
) -> dict[str, Any]:
    track: dict[str, Any] = {"name": sound.name, "missing": sound.missing, "n_bytes": 3000}
    if sound.audio is None or levels is None:
        return track
    found_scores = scores.of(sound.name, clip.clip_id)
    found = event_marks.match_onsets(reference, _onsets(sound, clip))
    audio = spectrogram.data_uri("audio/flac", flac_bytes(sound.audio, sound.rate_hz))
    picture = spectrogram.data_uri("image/png", spectrogram.png(levels, top_db))
    share = 100.0 / clip.duration_s
    unseen = {event.time_s for event in clip.events or () if not event.visible}
    return track | {
        "audio": audio,
        "picture": picture,
        "n_bytes": 3000 + len(audio) + len(picture) + 160 * (len(found.wanted) + len(found.found)),
        "wanted": [_tick(mark, share) | {"unseen": mark.time_s in unseen} for mark in found.wanted],
        "found": [_tick(mark, share) for mark in found.found],
        "n_matched": len(found.pairs),
        "scores": found_scores[:_MOST_SCORES],
        "more_scores": found_scores[_MOST_SCORES:],
        "rate_khz": f"{sound.rate_hz / 1000:g}",
    }


def _tick(mark: event_marks.Mark, share: float) -> dict[str, Any]:
    return {"left": f"{mark.time_s * share:.3f}", "matched": mark.matched, "time": f"{mark.time_s:.3f} s"}


class ScoreText(NamedTuple):
    """A metric's value of one clip as text.

    Attributes:
        title: The metric's title, and whether higher or lower is better.
        value: The value, with its unit where it has one.
        hover: The unit or range, in words.
    """

    title: str
    value: str
    hover: str


class _Scores:
    """Values per clip from result files, by system and clip."""

    def __init__(self, entries: Iterable[ResultEntry]) -> None:
        self._entries = {entry.row_name: entry for entry in entries}

    @property
    def names(self) -> set[str]:
        """The systems that have values."""
        return set(self._entries)

    def of(self, name: str, clip_id: str) -> list[ScoreText]:
        """Return the values of one clip, in the protocol's order; metrics without a value per clip are left out."""
        entry = self._entries.get(name)
        if entry is None:
            return []
        found = []
        for metric_name in _in_protocol_order(entry):
            metric = registry.load("metrics", metric_name) if metric_name in registry.names("metrics") else None
            if metric is None or metric.clip_value is None or entry.lacks(metric_name):
                continue
            stat = entry.stats(metric_name).get(clip_id)
            if stat is not None and np.isfinite(value := metric.clip_value(stat)):
                found.append(_score(metric_name, metric, value))
        return found


def _in_protocol_order(entry: ResultEntry) -> list[str]:
    protocol = entry.result["protocol"]["name"]
    first = registry.load("protocols", protocol).metrics if protocol in registry.names("protocols") else ()
    names = entry.result["metrics"]
    return [*(name for name in first if name in names), *sorted(names.keys() - set(first))]


def _score(name: str, metric: Metric, value: float) -> ScoreText:
    words = unit_words(name, metric.unit)
    unit = "" if metric.unit == NO_UNIT else f" {words}"
    return ScoreText(
        title=f"{metric.title} {number_text.ARROWS[metric.better]}",
        value=number_text.fixed_decimals(value, 3) + unit,
        hover=f"{metric.title}: {words}, {metric.better} is better",
    )
