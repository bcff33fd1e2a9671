"""Read the feature caches of av-benchmark.

A cache is a folder of ``.pth`` files, each a dict from file stem to tensor. Ids match exactly, or by an explicit name
map; nothing is guessed from the length of a name. The peer takes Fréchet distances over all clips of either side; here
every metric covers the clips that both sides have, so that values agree when the two cover the same clips.

Source: hkchengrex/av-benchmark@050a5cd av_bench/extract.py, av_bench/evaluate.py (file names and layouts).
"""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from foleybench import registry
from foleybench.api.encoder import ANY, Encode, Encoder, Features, Signal
from foleybench.api.metric import ClipView, Metric, Need
from foleybench.api.protocol import Protocol
from foleybench.api.weights import require
from foleybench.artefacts import result
from foleybench.artefacts.audio_folder import ClipProblem
from foleybench.artefacts.clip_table import ClipRow, ClipTable
from foleybench.artefacts.match import read_names
from foleybench.clips import AudioArray
from foleybench.errors import FoleyError, WeightsMissingError
from foleybench.files import file_sha256
from foleybench.runtime.private_paths import facts_without_places
from foleybench.scoring.choice import code_origin
from foleybench.scoring.evaluate import run_facts
from foleybench.scoring.records import pooled
from foleybench.shards.dataset import ShardDataset

PROTOCOL = "avbench"
_NO_SOUND: AudioArray = np.zeros(0, dtype=np.float32)


class _Place(NamedTuple):
    """The place of a feature: the file, and the key inside each entry when an entry is itself a dict."""

    filename: str
    key: str = ""


PLACES: dict[tuple[str, str], _Place] = {
    ("passt", "logits"): _Place("passt_logits.pth"),
    ("passt", "embedding"): _Place("passt_features_embed.pth"),
    ("panns_16k", "logits"): _Place("pann_features.pth", "logits"),
    ("panns_16k", "embedding"): _Place("pann_features.pth", "2048"),
    ("vggish", "frames"): _Place("vggish_features.pth"),
    ("imagebind_audio", "embedding"): _Place("imagebind_audio.pth"),
    ("imagebind_video", "embedding"): _Place("imagebind_video.pth"),
    ("clap_laion", "embedding"): _Place("clap_laion_audio.pth"),
    ("clap_laion_text", "embedding"): _Place("clap_laion_text.pth"),
    ("synchformer_audio", "segments"): _Place("synchformer_audio.pth"),
    ("synchformer_video", "segments"): _Place("synchformer_video.pth"),
}


_CAPTIONS = PLACES["clap_laion_text", "embedding"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CacheRequest:
    """The caches to score, and the settings.

    Attributes:
        generated: Cache of the generated audio.
        truth: Cache of the real clips.
        model: The result's ``model`` section.
        data: Manifest of the clips asked for, with labels and sources; None asks for all in ``truth``.
        names: CSV with the columns ``path`` (a key of the generated cache) and ``clip_id``, or None for equal names.
        seed: Seed of the intervals.
        resamples: Number of random sign vectors that an interval is made from.
        device: Torch device, for the one network that runs on cached features (DeSync).
    """

    generated: Path
    truth: Path
    model: dict[str, Any]
    data: Path | None = None
    names: Path | None = None
    seed: int = 0
    resamples: int = 1000
    device: str = "cpu"


class _Clip(NamedTuple):
    clip_id: str
    source_id: str
    label: str


def evaluate_cache(request: CacheRequest) -> tuple[dict[str, Any], ClipTable]:
    """Score a pair of caches under protocol ``avbench``.

    Returns:
        The result (without its ``clips`` section) and the clip table, ready for ``results.write``.

    Raises:
        FoleyError: A file is not a cache, or nothing could be scored.
    """
    protocol: Protocol = registry.load("protocols", PROTOCOL)
    metrics: dict[str, Metric] = {name: registry.load("metrics", name) for name in protocol.metrics}
    caches = _Caches(request)
    clips, dataset = _asked(request, caches)
    sources = {name: _sources(metric, caches, request.device) for name, metric in metrics.items()}
    able = {name: found for name, found in sources.items() if not isinstance(found, str)}
    table, problems = ClipTable(), caches.strangers({clip.clip_id for clip in clips})
    for clip in clips:
        row, found = _row(clip, {name: (metrics[name], able[name]) for name in able}, caches, protocol)
        table.add(row)
        problems += found
    scored = sum(any(stat is not None for stat in row["stats"].values()) for row in table)
    if not scored:
        raise FoleyError(f"no clip of {request.generated} could be scored: {'; '.join(_reasons(sources, problems))}")
    records = {}
    for name, metric in metrics.items():
        records[name] = pooled(name, metric, table, seed=request.seed, resamples=request.resamples)
        records[name] |= code_origin(name, PROTOCOL)
        if name not in able:
            records[name]["reason"] = sources[name]
    facts = {
        "schema": result.SCHEMA,
        "status": "complete" if scored == len(clips) and not problems and len(able) == len(metrics) else "partial",
        "model": request.model,
        "dataset": {**dataset, "n_clips": len(clips), "n_scored": scored},
        "protocol": {"name": PROTOCOL, "version": protocol.version},
        "metrics": records,
        "problems": [dataclasses.asdict(problem) for problem in problems],
        "run": {
            **run_facts(request.seed, request.resamples, request.device),
            "encoders": {},
            "generation": None,
            "features": caches.hashes(),
        },
    }
    return facts_without_places(facts, (request.generated, request.truth)), table


class _Caches:
    """The two caches, each file read when first needed.

    Attributes:
        keys: Clip id -> key in the generated cache.
    """

    def __init__(self, request: CacheRequest) -> None:
        truth = request.truth
        self._folders = {"generated": request.generated, "reference": truth, "video": truth, "text": truth}
        self._files: dict[Path, dict[str, Any] | None] = {}
        for folder in (request.generated, request.truth):
            if not any((folder / place.filename).is_file() for place in PLACES.values()):
                raise FoleyError(
                    f"{folder} holds none of av-benchmark's files ({PLACES['passt', 'logits'].filename} ...)."
                )
        self.keys = self._clip_ids(request.names)

    def _clip_ids(self, names: Path | None) -> dict[str, str]:
        pairs = {row.path: row.clip_id for row in read_names(names)} if names else {}
        mapped = {Path(path).stem: clip_id for path, clip_id in pairs.items()} | pairs
        found: dict[str, str] = {}
        for key in self.ids("generated"):
            clip_id = mapped.get(key, key)
            if clip_id in found:
                raise FoleyError(f"two entries for clip {clip_id!r}: {found[clip_id]} and {key}. Keep one.")
            found[clip_id] = key
        return found

    def ids(self, of: str) -> list[str]:
        """Return the keys that any file of a cache has, sorted; captions may be those of a larger set."""
        found: set[str] = set()
        for place in PLACES.values():
            found |= set() if place == _CAPTIONS else set(self._read(self._folders[of] / place.filename) or ())
        return sorted(found)

    def lacks(self, need: Need) -> str:
        """Return why a feature cannot be read, or ""."""
        place = PLACES.get((need.encoder, need.layer))
        if place is None:
            return f"av-benchmark keeps no {need.encoder}.{need.layer}"
        path = self._folders[need.of] / place.filename
        return "" if self._read(path) is not None else f"there is no {path}"

    def feature(self, clip_id: str, need: Need) -> np.ndarray[Any, Any] | None:
        """Return a feature of a clip, or None when its file does not have it.

        Raises:
            FoleyError: The feature has another shape than the encoder promises.
        """
        place = PLACES[need.encoder, need.layer]
        content = self._read(self._folders[need.of] / place.filename) or {}
        value = content.get(self.keys.get(clip_id, "") if need.of == "generated" else clip_id)
        if isinstance(value, Mapping):
            value = value.get(place.key)
        if value is None:
            return None
        array = np.asarray(value)
        shape = registry.load("encoders", need.encoder).layers[need.layer]
        if array.ndim != len(shape) or any(
            want not in (ANY, got) for want, got in zip(shape, array.shape, strict=True)
        ):
            raise FoleyError(f"{place.filename} has shape {array.shape}, wanted {shape} with {ANY} for any length")
        return array

    def strangers(self, asked: set[str]) -> list[ClipProblem]:
        """Return a problem for each generated entry that belongs to no clip."""
        lost = sorted(clip_id for clip_id in self.keys if clip_id not in asked)
        return [
            ClipProblem(clip_id, "unknown", "in the generated cache, but no such clip is asked for") for clip_id in lost
        ]

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of each file that was read, by side and name."""
        read = {path for path, content in self._files.items() if content is not None}
        return {
            f"{side}/{place.filename}": file_sha256(path)
            for side in ("generated", "reference")
            for place in PLACES.values()
            if (path := self._folders[side] / place.filename) in read
        }

    def _read(self, path: Path) -> dict[str, Any] | None:
        if path not in self._files:
            self._files[path] = _load(path) if path.is_file() else None
        return self._files[path]


def _load(path: Path) -> dict[str, Any]:
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FoleyError(f"{path} is not a cache of tensors: {reason}") from error
    if not isinstance(content, dict):
        raise FoleyError(f"{path} holds a {type(content).__name__}; a dict from file stem to tensor is wanted.")
    return content


def _asked(request: CacheRequest, caches: _Caches) -> tuple[list[_Clip], dict[str, Any]]:
    """Return the clips asked for, and the result's ``dataset`` section."""
    if request.data is None:
        ids = caches.ids("reference")
        digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()
        facts = {"name": "avbench_cache", "split": "all", "manifest_sha256": digest}
        return [_Clip(clip_id, clip_id, "") for clip_id in ids], facts
    data = ShardDataset(request.data)
    entries = [data.entry(clip_id) for clip_id in data.clip_ids]
    header = data.manifest.header
    facts = {"name": data.name, "split": header.split, "manifest_sha256": data.manifest.sha256}
    return [_Clip(entry.clip_id, entry.source_id, entry.label) for entry in entries], facts


@dataclasses.dataclass(frozen=True)
class _Derived:
    """A feature that a network makes of cached features: the network's needs, and the network."""

    given: tuple[Need, ...]
    encode: Encode
    layer: str


def _sources(metric: Metric, caches: _Caches, device: str) -> dict[str, Need | _Derived] | str:
    """Return the source of each feature of a metric, or why one is missing.

    Without a file of captions, by which the peer leaves the score out, only the caption is returned as missing.
    """
    captions: dict[str, Need | _Derived] = {name: need for name, need in metric.needs.items() if need.of == "text"}
    if any(caches.lacks(need) for need in metric.needs.values() if need.of == "text"):
        return captions
    found: dict[str, Need | _Derived] = {}
    for name, need in metric.needs.items():
        encoder: Encoder = registry.load("encoders", need.encoder)
        kept = (need.encoder, need.layer) in PLACES
        given = () if kept else tuple(_cached(other, need) for other in encoder.after)
        lacking = [reason for each in given or (need,) if (reason := caches.lacks(each))]
        if lacking:
            return lacking[0]
        if not given:
            found[name] = need
            continue
        try:
            require(need.encoder, encoder.weights) if encoder.weights else None
        except WeightsMissingError as error:
            return str(error)
        found[name] = _Derived(given, encoder.build(device), need.layer)
    return found


def _cached(encoder: str, need: Need) -> Need:
    """Return the need for the one layer that av-benchmark keeps of an encoder."""
    layer = next((layer for name, layer in PLACES if name == encoder), "")
    alone = registry.load("encoders", encoder).modality == "video"
    return Need(encoder=encoder, layer=layer, of="video" if alone else need.of)


def _row(
    clip: _Clip,
    metrics: Mapping[str, tuple[Metric, Mapping[str, Need | _Derived]]],
    caches: _Caches,
    protocol: Protocol,
) -> tuple[ClipRow, list[ClipProblem]]:
    row: ClipRow = {**clip._asdict(), "duration_s": protocol.crop_s, "stats": {}}
    if clip.clip_id not in caches.keys:
        return row, [ClipProblem(clip.clip_id, "missing", "no entry for this clip in the generated cache")]
    problems = []
    for name, (metric, sources) in metrics.items():
        try:
            if not _has_caption(clip, sources, caches):
                row["stats"][name] = None
                continue
            features = {key: _feature(clip, source, caches, protocol) for key, source in sources.items()}
            view = ClipView(
                **clip._asdict(), duration_s=protocol.crop_s or 0.0, events=None, features=features, seconds=None
            )
            row["stats"][name] = metric.per_clip(view)
        except FoleyError as error:
            problems.append(ClipProblem(clip.clip_id, "bad_features", f"{name}: {error}"))
    return row, problems


def _has_caption(clip: _Clip, sources: Mapping[str, Need | _Derived], caches: _Caches) -> bool:
    """Return whether the metric has the caption that it reads; True for metrics that read none."""
    read = [source for source in sources.values() if isinstance(source, Need) and source.of == "text"]
    return all(caches.feature(clip.clip_id, need) is not None for need in read)


def _feature(clip: _Clip, source: Need | _Derived, caches: _Caches, protocol: Protocol) -> np.ndarray[Any, Any]:
    if isinstance(source, Need):
        value = caches.feature(clip.clip_id, source)
        if value is None:
            raise FoleyError(f"no {source.encoder}.{source.layer} ({source.of}) in the cache")
        return value
    given: dict[str, Features] = {n.encoder: {n.layer: _feature(clip, n, caches, protocol)} for n in source.given}
    signal = Signal(audio=_NO_SOUND, duration_s=protocol.crop_s or 0.0, features=given)
    return np.asarray(source.encode([signal])[0][source.layer])


def _reasons(sources: Mapping[str, object], problems: Sequence[ClipProblem]) -> Iterator[str]:
    yield from dict.fromkeys(reason for reason in sources.values() if isinstance(reason, str))
    yield from (f"{problem.clip_id}: {problem.detail}" for problem in problems[:3])
