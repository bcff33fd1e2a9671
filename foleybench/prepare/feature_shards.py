"""Write encoder outputs as shards for training.

Each feature shard holds ``<clip_id>.<encoder>.npz`` for the clips of one clip shard.

The same policy as for clips: the same inputs, versions and device give the same bytes, a shard appears whole or not at
all, a stopped run goes on, ``foleybench shards verify`` checks every member, plain ``webdataset`` reads them, and
``ShardStream(clips, features=[...])`` joins them by clip id. The manifest's header carries each encoder's version and
the SHA-256 of its weights, and the SHA-256 of the clips' manifest.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from foleybench import registry
from foleybench.api.dataset import Item
from foleybench.api.encoder import Encoder, Features
from foleybench.api.weights import require
from foleybench.clips import AudioArray, Clock, IntArray
from foleybench.errors import FoleyError, ManifestError, MediaError
from foleybench.features.cache import FeatureCache
from foleybench.features.featurise import EncoderMaterial, Featuriser, Job, in_order, job
from foleybench.files import file_sha256, write_atomically
from foleybench.media.audio import fit_length, read_channels, read_sound
from foleybench.media.h264 import decode_mp4
from foleybench.prepare.pack import Part, ShardGroup, commit, read_part
from foleybench.prepare.split_record import LOCK, find_finished, finish, forget_split, take_apart
from foleybench.prepare.staging import Staging, refuse_change
from foleybench.runtime.lock import locked
from foleybench.runtime.progress import Progress
from foleybench.runtime.provenance import package_versions
from foleybench.runtime.ray_map import connected, ray_map
from foleybench.runtime.threads import one_thread
from foleybench.runtime.version import PACKAGE_VERSION
from foleybench.runtime.worker_processes import worker_processes
from foleybench.shards.dataset import two, write_shard
from foleybench.shards.feature_files import ENDING, features_bytes
from foleybench.shards.index import ShardIndex
from foleybench.shards.manifest import Entry, Header, entry_line, manifest_path
from foleybench.shards.members import check_meta
from foleybench.shards.sampling_order import Run
from foleybench.shards.stream import KEY, RawSample, ShardStream

VERSION = 1
# Clips given to the encoders at once; decoded frames of many clips would take gigabytes.
_CHUNK_HEARD, _CHUNK_SEEN = 16, 4
_SOUND = "reference"
_PACKAGES = ("numpy", "torch", "torchaudio", "av", "soundfile")


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeatureRequest:
    """The clips, the encoders, and how to run them.

    Attributes:
        data: Manifest of the clips, a path or a URL.
        out: Folder of the feature shards.
        encoders: Registry names.
        device: Torch device of the encoders.
        half: Keep floating-point features as float16.
        jobs: Shards in work at the same time; 0 with Ray for all that the cluster has processors for.
        engine: ``local`` or ``ray``.
        ray_address: The cluster, or None for the default one.
        force: Make everything again.
    """

    data: Path | str
    out: Path
    encoders: tuple[str, ...]
    device: str = "cpu"
    half: bool = False
    jobs: int = 1
    engine: str = "local"
    ray_address: str | None = None
    force: bool = False


class ShardTask(NamedTuple):
    """One shard to make, as it is sent to a worker."""

    data: str
    shard: int
    encoders: tuple[str, ...]
    device: str
    half: bool
    out: str | None


class ShardMade(NamedTuple):
    """A finished shard, with its bytes when a machine without ``out`` made it."""

    part: Part
    data: bytes


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeaturePlan:
    """The shards asked for, and which of them are finished.

    Attributes:
        header: The manifest's first line.
        index: The clips.
        groups: One a shard.
        staging: Where parts of the manifest wait.
        complete: Whether all is there already.
        left: Numbers of the shards that are left to make.
    """

    header: Header
    index: ShardIndex
    groups: list[ShardGroup]
    staging: Staging
    complete: bool
    left: list[int]


def plan_features(request: FeatureRequest) -> FeaturePlan:
    """List what would be made; decodes and encodes nothing.

    Raises:
        FoleyError: An encoder's weights are missing, or what is in ``out`` was made from something else.
    """
    index = ShardStream(request.data).index
    header = _header(request, index)
    split = header.split
    groups = [ShardGroup(number, _items(index, number, split)) for number in range(len(index.shards))]
    staging = Staging(request.out, split, {**header.as_schema_1(), "shards": list(index.shards)})
    finished = None if request.force else find_finished(request.out, split)
    if finished is not None:
        refuse_change(manifest_path(request.out, split), finished.fingerprint, staging.fingerprint)
        left = [group.index for group in groups if index.shards[group.index] in finished.lost]
    else:
        if not request.force:
            staging.check()
        done = set() if request.force else {g.index for g in groups if _is_packed(request.out, staging, g)}
        left = [group.index for group in groups if group.index not in done]
    complete = finished is not None and not left
    return FeaturePlan(header=header, index=index, groups=groups, staging=staging, complete=complete, left=left)


def make_features(request: FeatureRequest) -> Path:
    """Make the feature shards of a split; goes on from where an earlier run was stopped.

    Returns:
        Their manifest. Clips whose features could not be made are in it, with a status and a reason.

    Raises:
        FoleyError: See ``plan_features``; or another run is working on ``out``.
    """
    with locked(request.out, "prepare", LOCK):
        planned = plan_features(request)
        path = manifest_path(request.out, planned.header.split)
        if planned.complete:
            planned.staging.remove()
            return path
        _begin(request, planned)
        tasks = [
            ShardTask(str(request.data), number, request.encoders, request.device, request.half, str(request.out))
            for number in planned.left
        ]
        with (
            Progress(total=len(tasks), desc="features", unit="shard") as bar,
            contextlib.closing(_run(request, tasks)) as made,
        ):
            for task, part in made:
                commit(planned.staging, planned.groups[task.shard], part)
                bar.update()
        finish(request.out, planned.staging, planned.groups, planned.header)
        return path


def make_shard(task: ShardTask) -> ShardMade:
    """Make one feature shard, in a worker."""
    stream = _stream(task.data, task.encoders)
    name = stream.index.shards[task.shard]
    entries: list[Entry] = []
    samples: list[tuple[str, dict[str, bytes]]] = []
    # On the CPU, several threads add in varying order, which gives other bytes.
    with one_thread() if task.device == "cpu" else contextlib.nullcontext():
        for entry, files in _made(stream, task):
            entries.append(entry)
            if entry.status == "ok":
                samples.append((entry.clip_id, files))
    lines = "".join(f"{entry_line(entry)}\n" for entry in entries).encode()
    if not samples:
        return ShardMade(Part(shard=None, n_bytes=0, n_clips=0, sha256="", lines=lines), b"")
    with tempfile.TemporaryDirectory(prefix="foleybench-") as scratch:
        path = Path(task.out or scratch, name)
        readers: list[tuple[str, dict[str, Callable[[], bytes]]]] = [
            (clip_id, {field: functools.partial(bytes, data) for field, data in files.items()})
            for clip_id, files in samples
        ]
        sha256 = write_shard(path, readers)
        part = Part(shard=name, n_bytes=path.stat().st_size, n_clips=len(samples), sha256=sha256, lines=lines)
        return ShardMade(part, b"" if task.out else path.read_bytes())


def _begin(request: FeatureRequest, planned: FeaturePlan) -> None:
    split = planned.header.split
    if request.force:
        planned.staging.remove()
        forget_split(request.out, split)
    finished = find_finished(request.out, split)
    if finished is not None:
        take_apart(request.out, planned.staging, planned.groups, finished)
    planned.staging.open()
    for number in planned.left:
        planned.staging.part_path(number).unlink(missing_ok=True)


def _header(request: FeatureRequest, index: ShardIndex) -> Header:
    if not request.encoders:
        raise FoleyError("no encoder is named; name at least one with --encoder.")
    return Header(
        dataset=index.header.dataset,
        split=index.header.split,
        version=VERSION,
        profile={
            "kind": "features",
            "half": request.half,
            "device": request.device.partition(":")[0],
            "clips_manifest_sha256": index.sha256,
            "encoders": {name: _card(name) for name in sorted(set(request.encoders))},
        },
        tools={"foleybench": PACKAGE_VERSION, **{name: package_versions()[name] for name in _PACKAGES}},
    )


def _card(name: str) -> dict[str, Any]:
    """Return the values that decide an encoder's features, including those of the encoders that it reads."""
    encoder: Encoder = registry.load("encoders", name)
    if encoder.weights:
        require(name, encoder.weights)
    return {
        "version": encoder.version,
        "weights_sha256": file_sha256(encoder.weights.path) if encoder.weights else None,
        "source": encoder.source,
        "licence": encoder.licence,
        "after": {earlier: _card(earlier) for earlier in encoder.after},
    }


def _items(index: ShardIndex, shard: int, split: str) -> list[Item]:
    return [
        Item(clip_id=clip_id, source="", source_id="", label="", split=split, spec={})
        for clip_id in index.shard_ids(shard)
    ]


def _is_packed(out: Path, staging: Staging, group: ShardGroup) -> bool:
    path = staging.part_path(group.index)
    if not path.is_file():
        return False
    part = read_part(path)
    shard = out / part.shard if part.shard else None
    return shard is None or (shard.is_file() and shard.stat().st_size == part.n_bytes)


def _run(request: FeatureRequest, tasks: Sequence[ShardTask]) -> Generator[tuple[ShardTask, Part]]:
    """Make shards on the chosen engine; yield each when it is finished."""
    if request.engine == "ray":
        yield from _run_on_ray(request, tasks)
    elif request.jobs <= 1:
        for task in tasks:
            yield task, make_shard(task).part
    else:
        with worker_processes(request.jobs) as workers:
            for task, made in zip(tasks, workers.map(make_shard, tasks), strict=True):
                yield task, made.part


def _run_on_ray(request: FeatureRequest, tasks: Sequence[ShardTask]) -> Iterator[tuple[ShardTask, Part]]:
    n_gpus = 1.0 if request.device.startswith("cuda") else 0.0
    away = [task._replace(out=None) for task in tasks]
    with (
        connected(request.ray_address),
        contextlib.closing(ray_map(make_shard, away, at_once=request.jobs or None, n_gpus=n_gpus)) as landed,
    ):
        for done in landed:
            if done.result is None:
                raise FoleyError(f"every worker that tried shard {done.task.shard} died: {done.lost}")
            part = done.result.part
            if part.shard:
                write_atomically(request.out / part.shard, done.result.data)
            yield done.task, part


@functools.lru_cache(maxsize=2)
def _featuriser(encoders: tuple[str, ...], device: str) -> Featuriser:
    return Featuriser([job(name, _SOUND) for name in encoders], device, FeatureCache(None))


@functools.lru_cache(maxsize=2)
def _stream(data: str, encoders: tuple[str, ...]) -> ShardStream:
    return ShardStream(data, fields={"json", *_needed(encoders)})


def _needed(encoders: Sequence[str]) -> set[str]:
    """Return the members of a clip that the encoders read."""
    jobs = in_order(job(name, _SOUND) for name in encoders)
    loaded: list[Encoder] = [registry.load("encoders", name) for name, _ in jobs]
    return {"mp4" for one in loaded if one.sees} | {"flac" for one in loaded if one.hears or one.hears_sides}


def _made(stream: ShardStream, task: ShardTask) -> Iterator[tuple[Entry, dict[str, bytes]]]:
    """Yield the entry and the files of every clip of a shard, in order."""
    index = stream.index
    positions: IntArray = np.arange(index.starts[task.shard], index.starts[task.shard + 1], dtype=np.int64)
    featuriser = _featuriser(task.encoders, task.device)
    chunk = _CHUNK_SEEN if "mp4" in _needed(task.encoders) else _CHUNK_HEARD
    samples = stream.read(Run(positions, positions), verify=False)
    for start in range(0, len(positions), chunk):
        loaded = [_load(index, at, next(samples)) for at in positions[start : start + chunk].tolist()]
        features = iter(featuriser([material for _, material in loaded if isinstance(material, EncoderMaterial)]))
        for entry, material in loaded:
            if isinstance(material, MediaError):
                yield dataclasses.replace(entry, status=material.status, reason=material.reason), {}
            else:
                yield _filed(entry, next(features), task, index.shards[task.shard])


def _load(index: ShardIndex, position: int, sample: RawSample) -> tuple[Entry, EncoderMaterial | MediaError]:
    """Decode the members that are needed; return a reason when one does not decode or differs from the manifest."""
    bare = Entry(clip_id=sample[KEY], source="", source_id="", label="", status="ok")
    try:
        index.require(position, sample)
        meta = check_meta(bare, sample["json"])
    except ManifestError as error:
        return bare, MediaError("undecodable", str(error))
    entry = dataclasses.replace(
        bare, source_id=str(meta.get("source_id", "")), label=str(meta.get("label", "")), facts={}
    )
    duration_s = float(meta["duration_s"])
    try:
        sounds = {}
        if "flac" in sample:
            audio, rate_hz = read_sound(sample["flac"])
            sounds[_SOUND] = (fit_length(audio, Clock(duration_s).samples(rate_hz)), rate_hz)
        picture = decode_mp4(sample["mp4"]) if "mp4" in sample else None
    except MediaError as error:
        return entry, error

    def decode_video() -> Any:
        return picture

    def read_sides() -> AudioArray | None:
        both = two(read_channels(sample["flac"]))
        return None if both is None else np.stack([fit_length(side, len(sounds[_SOUND][0])) for side in both])

    return entry, EncoderMaterial(
        duration_s=duration_s,
        sounds=sounds,
        picture_sha256="",
        decode_video=decode_video,
        caption=entry.label,
        read_sides={_SOUND: read_sides} if sounds else {},
    )


def _filed(entry: Entry, found: Mapping[Job, Features], task: ShardTask, shard: str) -> tuple[Entry, dict[str, bytes]]:
    """Return a clip's features as files, and its entry with their hashes."""
    files = {}
    for name in sorted(set(task.encoders)):
        features = found.get(job(name, _SOUND))
        if features is None:
            if registry.load("encoders", name).hears_sides:
                return dataclasses.replace(entry, status="no_audio", reason=f"{name} hears audio of two channels"), {}
            return dataclasses.replace(entry, status="no_caption", reason=f"{name} reads a caption"), {}
        bad = [layer for layer, value in features.items() if not _finite(value, task.half)]
        if bad:
            reason = f"{name}.{bad[0]} holds a value that is not finite" + (" as float16" if task.half else "")
            return dataclasses.replace(entry, status="not_finite", reason=reason), {}
        files[f"{name}{ENDING}"] = features_bytes(features, half=task.half)
    hashes = {field: hashlib.sha256(data).hexdigest() for field, data in files.items()}
    return dataclasses.replace(entry, shard=shard, facts={"features": hashes}), files


def _finite(value: npt.NDArray[Any], half: bool) -> bool:
    if not np.issubdtype(value.dtype, np.floating):
        return True
    with np.errstate(over="ignore"):
        return bool(np.isfinite(value.astype(np.float16) if half else value).all())
