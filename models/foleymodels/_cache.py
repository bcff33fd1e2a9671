"""Decoded training data: every clip once as maps of its frames and as mel tokens, in files that are mapped.

The folder's name is a hash of the manifest and of what decides its bytes, so models that see the same data share it and
stale data is never read. It appears by rename, so it is whole or absent.
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

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from tqdm import tqdm

from foleybench.clips import FrameArray, IntArray
from foleybench.errors import FoleyError
from foleybench.manifest import canonical_json
from foleybench.shards import ShardDataset
from foleybench.sound import resample
from foleymodels._mel import Mel, MelSettings
from foleymodels._video import N_QUANTITIES, observe

_VERSION = 3
_META = "meta.json"
HalfArray = npt.NDArray[np.float16]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CacheSettings:
    """What decides the bytes of a cache.

    Attributes:
        mel: The mel transform.
        grid_hz: Frames per second kept.
        cells: Side of the maps that frames are reduced to.
        shortest_s: Shortest clip: shorter ones are completed with their last frame and silence.
    """

    mel: MelSettings
    grid_hz: float
    cells: int
    shortest_s: float

    @property
    def unit(self) -> tuple[int, int]:
        """Smallest (frames, tokens) that last equally long: crops start at its multiples, so both stay aligned."""
        ratio = Fraction(self.mel.token_hz).limit_denominator(10000) / Fraction(self.grid_hz).limit_denominator(10000)
        return ratio.denominator, ratio.numerator


@dataclasses.dataclass(frozen=True)
class TrainingData:
    """Frames and tokens of a split, laid end to end.

    Attributes:
        folder: Where they lie.
        settings: What decided them.
        clip_ids: Clips in order.
        frames: Maps of the frames, shape (sum of frames, cells, cells, 6) uint8.
        tokens: Shape (sum of tokens, token_dim) float16.
        frame_offsets: First frame of each clip, shape (n + 1,).
        token_offsets: First token of each clip, shape (n + 1,).
        labels: Class of each clip, "" when unknown. No model is given it: supervised upper bounds and probes use it.
        onsets_s: Audible onsets of each clip in seconds, None where the data set does not know its events; used alike.
    """

    folder: Path
    settings: CacheSettings
    clip_ids: tuple[str, ...]
    frames: FrameArray
    tokens: HalfArray
    frame_offsets: IntArray
    token_offsets: IntArray
    labels: tuple[str, ...]
    onsets_s: tuple[tuple[float, ...] | None, ...]

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.clip_ids)

    def pictures(self) -> Iterator[tuple[Tensor, int]]:
        """Yield every clip's frames (n, cells, cells, 6) and its number of tokens, in order."""
        for index in range(len(self)):
            yield self.picture(index)

    def picture(self, index: int) -> tuple[Tensor, int]:
        """Return a clip's frames (n, cells, cells, 6) and its number of tokens."""
        frames = self.frames[self.frame_offsets[index] : self.frame_offsets[index + 1]]
        return torch.from_numpy(frames.copy()), int(self.token_offsets[index + 1] - self.token_offsets[index])

    def starts(self, indices: Tensor, n_tokens: int, generator: torch.Generator) -> IntArray:
        """Draw where the crops of some clips start, in units, shape (batch,)."""
        per_unit = self.settings.unit[1]
        lengths = np.diff(self.token_offsets)[indices.numpy()]
        choices = np.maximum(0, (lengths - n_tokens) // per_unit) + 1
        drawn: IntArray = (torch.rand(len(indices), generator=generator).numpy() * choices).astype(np.int64)
        return drawn

    def crop_frames(self, indices: Tensor, starts: IntArray, n_frames: int) -> Tensor:
        """Return crops of the picture, shape (batch, n_frames, cells, cells, 6) uint8."""
        first = self.frame_offsets[indices.numpy()] + starts * self.settings.unit[0]
        return torch.from_numpy(np.stack([self.frames[at : at + n_frames] for at in first]))

    def crop_tokens(self, indices: Tensor, starts: IntArray, n_tokens: int) -> Tensor:
        """Return crops of the sound, shape (batch, n_tokens, token_dim) float32."""
        first = self.token_offsets[indices.numpy()] + starts * self.settings.unit[1]
        return torch.from_numpy(np.stack([self.tokens[at : at + n_tokens] for at in first])).float()

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
    manifest: Path, settings: CacheSettings, *, folder: Path | None = None, jobs: int = 0
) -> TrainingData:
    """Return the decoded data of a split, decoding it first when that has not been done.

    Args:
        manifest: Manifest of the split.
        settings: What decides the bytes.
        folder: Where caches lie; ``.cache`` beside the manifest by default.
        jobs: Threads that decode; 0 is one per core.

    Raises:
        FoleyError: The split has no usable clip, or the folder cannot be written.
    """
    dataset = ShardDataset(manifest)
    if not len(dataset):
        raise FoleyError(f"{manifest} has no usable clip to train on.")
    record = {"version": _VERSION, "manifest": dataset.manifest.sha256, "settings": dataclasses.asdict(settings)}
    key = hashlib.sha256(canonical_json(record).encode()).hexdigest()[:16]
    target = (folder or manifest.parent / ".cache") / f"{manifest.name.split('.')[0]}-{key}"
    if not (target / _META).is_file():
        _build(dataset, settings, target, jobs or os.cpu_count() or 1)
    return _open(target, settings)


def _open(folder: Path, settings: CacheSettings) -> TrainingData:
    meta = json.loads((folder / _META).read_text(encoding="utf-8"))
    return TrainingData(
        folder=folder,
        settings=settings,
        clip_ids=tuple(meta["clip_ids"]),
        frames=np.load(folder / "frames.npy", mmap_mode="r"),
        tokens=np.load(folder / "tokens.npy", mmap_mode="r"),
        frame_offsets=np.asarray(meta["frame_offsets"], dtype=np.int64),
        token_offsets=np.asarray(meta["token_offsets"], dtype=np.int64),
        labels=tuple(meta["labels"]),
        onsets_s=tuple(None if onsets is None else tuple(onsets) for onsets in meta["onsets_s"]),
    )


def _build(dataset: ShardDataset, settings: CacheSettings, target: Path, jobs: int) -> None:
    building = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
    except OSError as error:
        raise FoleyError(f"cannot write {building}: {error}. Name a folder with --set cache=DIR.") from error
    frame_offsets, token_offsets = [0], [0]
    labels: list[str] = []
    onsets_s: list[list[float] | None] = []
    tasks = [(dataset, clip_id, settings) for clip_id in dataset.clip_ids]
    with (building / "frames.raw").open("wb") as frames_file, (building / "tokens.raw").open("wb") as tokens_file:
        for clip in tqdm(_decoded(tasks, jobs), total=len(tasks), desc="decode", unit="clip", disable=None):
            frames_file.write(clip.frames.tobytes())
            tokens_file.write(clip.tokens.tobytes())
            frame_offsets.append(frame_offsets[-1] + len(clip.frames))
            token_offsets.append(token_offsets[-1] + len(clip.tokens))
            labels.append(clip.label)
            onsets_s.append(clip.onsets_s)
    cells = settings.cells
    _as_npy(building, "frames", np.dtype(np.uint8), (frame_offsets[-1], cells, cells, N_QUANTITIES))
    _as_npy(building, "tokens", np.dtype(np.float16), (token_offsets[-1], settings.mel.token_dim))
    meta = {
        "clip_ids": dataset.clip_ids,
        "frame_offsets": frame_offsets,
        "token_offsets": token_offsets,
        "labels": labels,
        "onsets_s": onsets_s,
    }
    (building / _META).write_text(canonical_json(meta), encoding="utf-8")
    _publish(building, target)


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


Task = tuple[ShardDataset, str, CacheSettings]


@dataclasses.dataclass(frozen=True)
class _Decoded:
    frames: FrameArray
    tokens: HalfArray
    label: str
    onsets_s: list[float] | None


def _decoded(tasks: list[Task], jobs: int) -> Iterator[_Decoded]:
    """Decode in threads: the libraries that do the work release Python's lock; processes would import torch anew."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(_decode_one, tasks)


def _decode_one(task: Task) -> _Decoded:
    dataset, clip_id, settings = task
    clip = dataset.load(clip_id)
    if clip.frames is None or clip.audio is None:
        raise FoleyError(f"clip {clip_id} of {dataset.path} lacks picture or sound; training needs both.")
    audio = resample(clip.audio, clip.rate_hz, settings.mel.rate_hz)
    tokens = Mel(settings.mel).tokens(torch.from_numpy(audio)[None])[0].numpy().astype(np.float16)
    frames = observe(clip.frames, clip.frame_times_s, clip.duration_s, settings.grid_hz, settings.cells)
    frames, tokens = _at_least(frames, tokens, settings)
    onsets_s = None if clip.events is None else [round(float(t), 6) for t in clip.onset_times_s()]
    return _Decoded(frames, tokens, clip.label, onsets_s)


def _at_least(frames: FrameArray, tokens: HalfArray, settings: CacheSettings) -> tuple[FrameArray, HalfArray]:
    n_frames, n_tokens = (
        round(settings.shortest_s * settings.grid_hz),
        round(settings.shortest_s * settings.mel.token_hz),
    )
    more_frames, more_tokens = max(0, n_frames - len(frames)), max(0, n_tokens - len(tokens))
    silence = (np.log10(settings.mel.floor) - settings.mel.mean) / settings.mel.scale
    frames = np.concatenate([frames, np.repeat(frames[-1:], more_frames, axis=0)])
    tokens = np.pad(tokens, ((0, more_tokens), (0, 0)), constant_values=silence)
    return frames, tokens
