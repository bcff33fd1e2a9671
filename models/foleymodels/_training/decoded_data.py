"""Decode training data into mapped files: frame maps and mel tokens.

The folder's name is a hash of the manifest and of the settings that decide its bytes, so models with the same data
share the folder and stale data is never read. The folder appears by rename, so it is whole or absent.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from foleybench.clips import Clip, FrameArray, IntArray
from foleybench.errors import FoleyError
from foleybench.files import canonical_json
from foleybench.media.audio import resample
from foleybench.runtime.progress import Progress
from foleymodels._parts.frame_maps import observe
from foleymodels._parts.frozen_encoders import HalfArray, audio_features, video_features
from foleymodels._parts.mel import Mel, MelSettings
from foleymodels._parts.signal import SignalSettings
from foleymodels._training.transfer import to_device

if TYPE_CHECKING:
    # Imported where shards are read: what is decoded already is trained on where no video can be decoded.
    from foleybench.shards.dataset import ShardDataset

_VERSION = 5
_META = "meta.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class CacheSettings:
    """The settings that decide the bytes of a cache.

    Attributes:
        mel: The mel transform.
        grid_hz: Frames per second kept.
        cells: Side of the maps that frames are reduced to.
        shortest_s: Shortest clip: shorter ones are completed with their last frame and silence.
        video: ``maps``, or a large encoder whose features stand in place of the maps.
        audio: A large encoder whose features of the audio are kept beside the tokens, or empty.
        weights: ``published``, or ``random``: those encoders untrained.
    """

    mel: MelSettings
    grid_hz: float
    cells: int
    shortest_s: float
    video: str = "maps"
    audio: str = ""
    weights: str = "published"

    @property
    def unit(self) -> tuple[int, int]:
        """Smallest (frames, tokens) that last equally long: crops start at its multiples, so both stay aligned."""
        ratio = Fraction(self.mel.token_hz).limit_denominator(10000) / Fraction(self.grid_hz).limit_denominator(10000)
        return ratio.denominator, ratio.numerator


@dataclasses.dataclass(frozen=True)
class TrainingData:
    """Frames and tokens of a split, laid end to end.

    Attributes:
        folder: Folder of the files.
        settings: Settings that decided the bytes.
        clip_ids: Clips in order.
        frames: Maps of the frames, shape (sum of frames, cells, cells, 6) uint8; or features, (sum of frames, dim)
            float16.
        tokens: Shape (sum of tokens, token_dim) float16.
        frame_offsets: First frame of each clip, shape (n + 1,).
        token_offsets: First token of each clip, shape (n + 1,).
        labels: Class or caption of each clip, "" when unknown. No generator is given it: text encoders, supervised
            upper bounds and probes are trained with it.
        targets: Features of the audio at every token, shape (sum of tokens, dim) float16, or None.
        onsets_s: Audible onsets of each clip in seconds, None where the data set does not know its events; used alike.
    """

    folder: Path
    settings: CacheSettings
    clip_ids: tuple[str, ...]
    frames: FrameArray | HalfArray
    tokens: HalfArray
    frame_offsets: IntArray
    token_offsets: IntArray
    labels: tuple[str, ...]
    onsets_s: tuple[tuple[float, ...] | None, ...]
    targets: HalfArray | None = None

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.clip_ids)

    def videos(self) -> Iterator[tuple[Tensor, int]]:
        """Yield every clip's frames (n, cells, cells, 6) and its number of tokens, in order."""
        for index in range(len(self)):
            yield self.video(index)

    def video(self, index: int) -> tuple[Tensor, int]:
        """Return a clip's frames (n, cells, cells, 6) and its number of tokens."""
        frames = self.frames[self.frame_offsets[index] : self.frame_offsets[index + 1]]
        return torch.from_numpy(frames.copy()), int(self.token_offsets[index + 1] - self.token_offsets[index])

    def starts(self, indices: Tensor, n_tokens: int, generator: torch.Generator) -> IntArray:
        """Draw the starts of some clips' crops, in units, shape (batch,)."""
        per_unit = self.settings.unit[1]
        lengths = np.diff(self.token_offsets)[indices.numpy()]
        choices = np.maximum(0, (lengths - n_tokens) // per_unit) + 1
        drawn: IntArray = (torch.rand(len(indices), generator=generator).numpy() * choices).astype(np.int64)
        return drawn

    def crop_frames(self, indices: Tensor, starts: IntArray, n_frames: int) -> Tensor:
        """Return crops of the frames, shape (batch, n_frames, cells, cells, 6) uint8."""
        first = self.frame_offsets[indices.numpy()] + starts * self.settings.unit[0]
        return torch.from_numpy(np.stack([self.frames[at : at + n_frames] for at in first]))

    def crop_tokens(
        self, indices: Tensor, starts: IntArray, n_tokens: int, device: torch.device | str = "cpu"
    ) -> Tensor:
        """Return crops of the mel tokens, shape (batch, n_tokens, token_dim) float32, on a device."""
        first = self.token_offsets[indices.numpy()] + starts * self.settings.unit[1]
        return to_device(torch.from_numpy(np.stack([self.tokens[at : at + n_tokens] for at in first])), device).float()

    def crop_targets(self, indices: Tensor, starts: IntArray, n_tokens: int) -> Tensor | None:
        """Return crops of the features of the audio, shape (batch, n_tokens, dim) float32; None without them."""
        if self.targets is None:
            return None
        first = self.token_offsets[indices.numpy()] + starts * self.settings.unit[1]
        return torch.from_numpy(np.stack([self.targets[at : at + n_tokens] for at in first])).float()

    def onset_tokens(self, index: int) -> Tensor:
        """Return which tokens of a clip hold an onset, shape (its tokens,) float32.

        Raises:
            FoleyError: The data set does not know the clip's events.
        """
        onsets = self.onsets_s[index]
        if onsets is None:
            raise FoleyError(
                f"clip {self.clip_ids[index]} has no events; supervised training and onset probes need a data set "
                "that knows them (SynthFoley does). Choose another stage1."
            )
        n_tokens = int(self.token_offsets[index + 1] - self.token_offsets[index])
        marks = torch.zeros(n_tokens)
        at = (np.asarray(onsets) * self.settings.mel.token_hz).astype(np.int64)
        marks[at[(at >= 0) & (at < n_tokens)]] = 1.0
        return marks


def training_data(
    manifest: Path, settings: CacheSettings, *, folder: Path | None = None, jobs: int = 0, device: str = "cpu"
) -> TrainingData:
    """Return the decoded data of a split, after decoding it if needed.

    Args:
        manifest: Manifest of the split.
        settings: Settings that decide the bytes.
        folder: Folder of caches; ``.cache`` beside the manifest by default.
        jobs: Threads that decode; 0 is one per core.
        device: Torch device of the large encoders, where the settings name one.

    Raises:
        FoleyError: The split has no usable clip, or the folder cannot be written.
    """
    from foleybench.shards.dataset import ShardDataset

    dataset = ShardDataset(manifest)
    if not len(dataset):
        raise FoleyError(f"{manifest} has no usable clip to train on.")
    key = cache_key(dataset.manifest.sha256, settings)
    target = (folder or manifest.parent / ".cache") / f"{manifest.name.split('.')[0]}-{key}"
    if not (target / _META).is_file():
        _build(dataset, settings, target, jobs or os.cpu_count() or 1, device)
    return _open(target, settings)


def cache_key(manifest_sha256: str, settings: CacheSettings) -> str:
    """Return the key of clips and settings that is part of the folder's name."""
    values = dataclasses.asdict(settings)
    # Earlier versions had other names for two settings; with these names their decoded data is found.
    values |= {"picture": values.pop("video"), "sound": values.pop("audio")}
    record = {"version": _VERSION, "manifest": manifest_sha256, "settings": values}
    return hashlib.sha256(canonical_json(record).encode()).hexdigest()[:16]


def cache_settings(signal: SignalSettings) -> CacheSettings:
    """Return the data settings of a system that takes maps of the frames and mel tokens."""
    return CacheSettings(mel=signal.mel, grid_hz=signal.grid_hz, cells=signal.cells, shortest_s=signal.window_s)


def _open(folder: Path, settings: CacheSettings) -> TrainingData:
    meta = json.loads((folder / _META).read_text(encoding="utf-8"))
    return TrainingData(
        folder=folder,
        settings=settings,
        clip_ids=tuple(meta["clip_ids"]),
        frames=np.load(folder / "frames.npy", mmap_mode="r"),
        tokens=np.load(folder / "tokens.npy", mmap_mode="r"),
        targets=np.load(folder / "targets.npy", mmap_mode="r") if settings.audio else None,
        frame_offsets=np.asarray(meta["frame_offsets"], dtype=np.int64),
        token_offsets=np.asarray(meta["token_offsets"], dtype=np.int64),
        labels=tuple(meta["labels"]),
        onsets_s=tuple(None if onsets is None else tuple(onsets) for onsets in meta["onsets_s"]),
    )


def _build(dataset: ShardDataset, settings: CacheSettings, target: Path, jobs: int, device: str) -> None:
    building = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
    except OSError as error:
        raise FoleyError(f"cannot write {building}: {error}. Name a folder with --set cache=DIR.") from error
    labels: list[str] = []
    onsets_s: list[list[float] | None] = []
    tasks = [(dataset, clip_id, settings, device) for clip_id in dataset.clip_ids]
    names = ("frames", "tokens", "targets") if settings.audio else ("frames", "tokens")
    arrays = {name: _Growing(building, name) for name in names}
    for clip in Progress(_decoded(tasks, jobs), total=len(tasks), desc="decode", unit="clip"):
        for name, array in arrays.items():
            array.append(getattr(clip, name))
        labels.append(clip.label)
        onsets_s.append(clip.onsets_s)
    for array in arrays.values():
        array.close()
    meta = {
        "clip_ids": dataset.clip_ids,
        "frame_offsets": arrays["frames"].offsets,
        "token_offsets": arrays["tokens"].offsets,
        "labels": labels,
        "onsets_s": onsets_s,
    }
    (building / _META).write_text(canonical_json(meta), encoding="utf-8")
    _publish(building, target)


class _Growing:
    """Rows of an array whose number is only known at the end."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._file = (folder / f"{name}.raw").open("wb")
        self._dtype: np.dtype[np.generic] = np.dtype(np.uint8)
        self._shape: tuple[int, ...] = ()
        self.offsets = [0]

    def append(self, rows: npt.NDArray[np.generic]) -> None:
        self._dtype, self._shape = rows.dtype, rows.shape[1:]
        self._file.write(rows.tobytes())
        self.offsets.append(self.offsets[-1] + len(rows))

    def close(self) -> None:
        self._file.close()
        _as_npy(self._folder, self._name, self._dtype, (self.offsets[-1], *self._shape))


def _publish(building: Path, target: Path) -> None:
    """Rename into place; a process that was faster has written the same bytes, so its folder is as good."""
    try:
        building.rename(target)
    except OSError:
        if not (target / _META).is_file():
            raise
        shutil.rmtree(building)


def _as_npy(folder: Path, name: str, dtype: np.dtype[np.generic], shape: tuple[int, ...]) -> None:
    raw = folder / f"{name}.raw"
    with (folder / f"{name}.npy").open("wb") as out, raw.open("rb") as source:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_2_0(out, header)
        shutil.copyfileobj(source, out, 1 << 20)
    raw.unlink()


_Task: TypeAlias = "tuple[ShardDataset, str, CacheSettings, str]"


@dataclasses.dataclass(frozen=True)
class _Decoded:
    frames: FrameArray | HalfArray
    tokens: HalfArray
    targets: HalfArray | None
    label: str
    onsets_s: list[float] | None


def _decoded(tasks: list[_Task], jobs: int) -> Iterator[_Decoded]:
    """Decode in threads: the libraries that do the work release Python's lock; processes would import torch anew."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(_decode_one, tasks)


def _decode_one(task: _Task) -> _Decoded:
    dataset, clip_id, settings, device = task
    clip = dataset.load(clip_id)
    if clip.frames is None or clip.audio is None:
        raise FoleyError(f"clip {clip_id} of {dataset.path} lacks video or audio; training needs both.")
    audio = resample(clip.audio, clip.rate_hz, settings.mel.rate_hz)
    tokens = Mel(settings.mel).tokens(torch.from_numpy(audio)[None])[0].numpy().astype(np.float16)
    targets = None
    if settings.audio:
        times = settings.mel.token_times_s(len(tokens)).numpy()
        targets = _longer(audio_features(clip, settings.audio, times, settings.weights, device), settings, None)
    onsets_s = None if clip.events is None else [round(float(t), 6) for t in clip.onset_times_s()]
    silence = (np.log10(settings.mel.floor) - settings.mel.mean) / settings.mel.scale
    frames = video_input(clip, settings, device)
    n_frames = round(settings.shortest_s * settings.grid_hz)
    last = np.repeat(np.arange(len(frames))[-1:], max(0, n_frames - len(frames)))
    frames = frames[np.concatenate([np.arange(len(frames)), last])]
    return _Decoded(frames, _longer(tokens, settings, silence), targets, clip.label, onsets_s)


def video_input(clip: Clip, settings: CacheSettings, device: str = "cpu") -> FrameArray | HalfArray:
    """Return a clip's video as the networks see it: maps (n, cells, cells, 6) uint8, or features (n, dim) float16.

    Raises:
        FoleyError: The clip came without its frames.
    """
    if clip.frames is None:
        raise FoleyError(f"clip {clip.clip_id} has no frames; this model needs them.")
    if settings.video != "maps":
        return video_features(clip, settings.video, settings.grid_hz, settings.weights, device)
    return observe(clip.frames, clip.frame_times_s, clip.duration_s, settings.grid_hz, settings.cells)


def _longer(rows: HalfArray, settings: CacheSettings, fill: float | None) -> HalfArray:
    """Complete rows of tokens to the shortest length, with a value or with the last row."""
    more = max(0, round(settings.shortest_s * settings.mel.token_hz) - len(rows))
    if fill is None:
        return np.concatenate([rows, np.repeat(rows[-1:], more, axis=0)])
    return np.pad(rows, ((0, more), (0, 0)), constant_values=fill)
