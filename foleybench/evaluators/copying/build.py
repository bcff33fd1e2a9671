"""Collect the training audio and its patches into one searchable file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from foleybench import registry
from foleybench.clips import AudioArray
from foleybench.encoders._inputs.audio_index import COPIED, AudioIndex, project
from foleybench.encoders._inputs.sound_patches import RATE_HZ, WINDOW, sound_patches
from foleybench.encoders._nets.mini_nets import HEADER
from foleybench.errors import FoleyError
from foleybench.files import canonical_json, write_atomically
from foleybench.media.audio import resample
from foleybench.runtime.progress import Progress
from foleybench.shards.dataset import ShardDataset
from foleybench.shards.manifest import read_manifest

VERSION = 1
Floats = npt.NDArray[np.float32]
# Memory: a second takes 64 kB of audio while it is read, and at most 12 kB of patches.
MOST_SECONDS = 40_000
_N_AXES = 96
_FIT_PATCHES = 20_000
_FIT_PATCHES_A_CLIP = 40
_MEASURED_CLIPS = 100


def build_copying_index(data: Path, val: Path | None, out: Path, seed: int = 0) -> dict[str, float]:
    """Write the index of a split's audio, and measure it.

    Args:
        data: Manifest of the train split.
        val: Manifest of a split that shares nothing with it, or None: the share of its true audio that is found is
            what chance finds.
        out: Folder of the file.
        seed: Seed of the draws of patches for the axes, and of clips to measure on.

    Returns:
        ``found_in_training_audio`` (its own clips: 1 when the search works) and ``found_in_validation_audio``.

    Raises:
        FoleyError: The split is a test split, has no usable audio, or holds more than ``MOST_SECONDS``.
    """
    manifest = read_manifest(data)
    if manifest.header.split == "test":
        raise FoleyError(f"{data} is a test split: what a system may copy is its training audio. Name the train split.")
    clips = list(_audio_of(ShardDataset(data), "read train"))
    index = index_of(clips, np.random.default_rng(seed))
    facts: dict[str, Any] = {
        "version": VERSION,
        "kind": _match().KIND,
        "seed": seed,
        "data": {
            "dataset": manifest.header.dataset,
            "split": manifest.header.split,
            "manifest_sha256": manifest.sha256,
            "n_clips": len(clips),
        },
    }
    rng = np.random.default_rng([seed, 1])
    measured = {"found_in_training_audio": found_share(index, _some(clips, rng))}
    if val is not None:
        measured["found_in_validation_audio"] = found_share(
            index, _some(list(_audio_of(ShardDataset(val), "val")), rng)
        )
    facts["measured"] = {name: round(value, 5) for name, value in measured.items()}
    write_atomically(out / _match().WEIGHTS.filename, packed_index(index, facts))
    return measured


def _match() -> ModuleType:
    """Return the encoder's module, which says how the file of an index is called and what is in it."""
    return registry.module("encoders", "training_match")


def index_of(clips: list[AudioArray], rng: np.random.Generator) -> AudioIndex:
    """Return the index of some clips at ``RATE_HZ``.

    Raises:
        FoleyError: Nothing in them is audible.
    """
    mean, axes = _axes(clips, rng)
    gap = np.zeros(WINDOW, dtype=np.int16)
    pieces, places, codes, at = [], [], [], 0
    for audio in Progress(clips, desc="index", unit="clip"):
        patches = sound_patches(audio)
        places.append(patches.starts + at)
        codes.append(project(patches.values, mean, axes).astype(np.float16))
        pieces += [_full_scale(audio), gap]
        at += len(audio) + WINDOW
    return AudioIndex(
        audio=np.concatenate(pieces), places=np.concatenate(places), codes=np.concatenate(codes), mean=mean, axes=axes
    )


def found_share(index: AudioIndex, clips: list[AudioArray]) -> float:
    """Return the share of the clips' audible windows that the index holds; NaN when none is audible."""
    found = np.concatenate([index.correlations(audio) for audio in clips] or [np.zeros(0, dtype=np.float32)])
    return float(np.mean(found >= COPIED)) if len(found) else float("nan")


def packed_index(index: AudioIndex, facts: dict[str, Any]) -> bytes:
    """Return an index as a safetensors file with its facts."""
    from safetensors.numpy import save

    tensors = {name: np.ascontiguousarray(getattr(index, name)) for name in _match().TENSORS}
    return save(tensors, metadata={HEADER: canonical_json(facts)})


def _audio_of(data: ShardDataset, what: str) -> Iterator[AudioArray]:
    seconds = 0.0
    for clip_id in Progress(data.clip_ids, desc=what, unit="clip"):
        clip = data.load(clip_id, video=False)
        seconds += clip.duration_s
        if seconds > MOST_SECONDS:
            raise FoleyError(
                f"{data.path} holds more than {MOST_SECONDS} s; an index of it would not fit in memory. Prepare fewer "
                "clips (--limit)."
            )
        if clip.audio is not None:
            yield resample(clip.audio, clip.rate_hz, RATE_HZ)


def _full_scale(audio: AudioArray) -> npt.NDArray[np.int16]:
    peak = float(np.abs(audio).max(initial=0.0))
    return np.round(audio * (32767.0 / peak if peak > 0.0 else 0.0)).astype(np.int16)


def _axes(clips: Sequence[AudioArray], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the mean of the patches and their first principal axes, from some patches of some clips.

    Raises:
        FoleyError: Nothing in the clips is audible.
    """
    drawn: list[Floats] = []
    n = 0
    for number in rng.permutation(len(clips)):
        values = sound_patches(clips[number]).values
        drawn.append(values[rng.permutation(len(values))[:_FIT_PATCHES_A_CLIP]])
        n += len(drawn[-1])
        if n >= _FIT_PATCHES:
            break
    if not n:
        raise FoleyError("nothing in the training audio is audible, so nothing can be copied from it.")
    patches = np.concatenate(drawn)
    mean = patches.mean(axis=0)
    _, _, rows = np.linalg.svd(patches - mean, full_matrices=False)
    return mean.astype(np.float32), np.ascontiguousarray(rows[:_N_AXES].T.astype(np.float32))


def _some(clips: list[AudioArray], rng: np.random.Generator) -> list[AudioArray]:
    chosen = rng.permutation(len(clips))[:_MEASURED_CLIPS]
    return [clips[i] for i in chosen]
