"""Make the evaluators' training data: network inputs of each clip."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foleybench.clips import AudioArray, Clock
from foleybench.encoders._nets.mini_labels import sounding_classes, sounding_materials
from foleybench.encoders._nets.mini_nets import FRAME_HZ, FRAME_PX, GRID, SmallFrames, audio_input, frames_input
from foleybench.errors import FoleyError
from foleybench.evaluators.mini.artefacts import roughened, vocoded
from foleybench.media.audio import resample
from foleybench.runtime.progress import Progress
from foleybench.shards.dataset import ShardDataset

VERSIONS = ("clean", "vocoded", "rough")
# Memory: a clip of 4 s takes 0.85 MB.
MOST_CLIPS = 2000
LONGEST_S = 4.0
SHORTEST_S = 1.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingMaterial:
    """Clips of one length, ready for training.

    Attributes:
        sounds: Shape (n, 3, 64, T) float16: spectrograms of the clean, the vocoded and the roughened audio.
        pictures: Frames, shape (n, P, 3, 48, 48) uint8.
        labels: Shape (n,), indices into ``classes``: of each clip's own label, its main source.
        sounding: Shape (n, len(classes)), the classes that sound in each clip.
        sounding_materials: Shape (n, len(materials)), the materials that sound in each clip.
        has_onsets: Shape (n,), whether the clip has onset events, from which shifts can be recognised.
        classes: Class names.
        materials: Material names; none when the corpus states no materials.
        seconds: Length of every clip, in s.
    """

    sounds: npt.NDArray[np.float16]
    pictures: SmallFrames
    labels: npt.NDArray[np.int64]
    sounding: npt.NDArray[np.bool_]
    sounding_materials: npt.NDArray[np.bool_]
    has_onsets: npt.NDArray[np.bool_]
    classes: tuple[str, ...]
    materials: tuple[str, ...]
    seconds: float

    def __len__(self) -> int:
        return len(self.labels)


def gather(manifest: Path, *, seed: int, like: TrainingMaterial | None = None) -> TrainingMaterial:
    """Read a split and make the nets' inputs.

    Args:
        manifest: Manifest of the split; at most ``MOST_CLIPS`` of its clips are drawn.
        seed: Seed of the draw and of the artefacts.
        like: Has the class and material names in the order wanted, or None to take the split's own, sorted.

    Raises:
        FoleyError: A clip has a class or material that ``like`` lacks, or there are no clips, or they are too short.
    """
    data = ShardDataset(manifest)
    rng = np.random.default_rng(seed)
    clip_ids = [data.clip_ids[i] for i in sorted(rng.permutation(len(data))[:MOST_CLIPS])]
    lengths_s = [float(data.entry(clip_id).facts["duration_s"]) for clip_id in clip_ids]
    if min(lengths_s, default=0.0) < SHORTEST_S:
        raise FoleyError(
            f"{manifest}: the shortest clip has {min(lengths_s, default=0.0)} s, at least {SHORTEST_S} s are needed."
        )
    seconds = min(*lengths_s, LONGEST_S)
    sounds, pictures, has_onsets = _empty(len(clip_ids), seconds)
    labels, classes, materials = [], [], []
    for number, clip_id in enumerate(Progress(clip_ids, desc=f"read {manifest.name}")):
        clip = data.load(clip_id)
        if clip.audio is None or clip.frames is None:
            raise FoleyError(f"{manifest}: clip {clip_id!r} lacks its audio or video. Prepare the data again.")
        audio = resample(clip.audio, clip.rate_hz, GRID.rate_hz)[: round(seconds * GRID.rate_hz)]
        events = [event for event in clip.events or () if event.time_s < seconds]
        sounds[number] = _versions(audio, np.random.default_rng([seed, number]))
        pictures[number] = frames_input(clip.frames, clip.frame_times_s, seconds)
        has_onsets[number] = len(clip.onset_times_s()) > 0
        labels.append(clip.label)
        classes.append(sounding_classes(events, clip.label))
        materials.append(sounding_materials(events))
    class_names = like.classes if like else tuple(sorted(set(labels).union(*classes)))
    material_names = like.materials if like else tuple(sorted(frozenset().union(*materials)))
    _check(manifest, set(labels).union(*classes) - set(class_names), "classes")
    _check(manifest, set().union(*materials) - set(material_names), "materials")
    return TrainingMaterial(
        sounds=sounds,
        pictures=pictures,
        labels=np.array([class_names.index(label) for label in labels], dtype=np.int64),
        sounding=_table(classes, class_names),
        sounding_materials=_table(materials, material_names),
        has_onsets=has_onsets,
        classes=class_names,
        materials=material_names,
        seconds=seconds,
    )


def joined_material(parts: Mapping[Path, TrainingMaterial]) -> TrainingMaterial:
    """Return the clips of several splits as one, in the order of the splits.

    Args:
        parts: What was gathered from each manifest, all but the first ``like`` the first.

    Raises:
        FoleyError: The clips of a split are of another length than those of the first.
    """
    first = next(iter(parts))
    like = parts[first]
    for manifest, part in parts.items():
        if part.seconds != like.seconds:
            raise FoleyError(
                f"{manifest} gives clips of {part.seconds:g} s, {first} of {like.seconds:g} s; the evaluators are "
                f"trained on one length (that of a split's shortest clip, {LONGEST_S:g} s at most). Leave it out, or "
                "prepare it with clips of that length."
            )
    every = list(parts.values())
    return TrainingMaterial(
        sounds=np.concatenate([one.sounds for one in every]),
        pictures=np.concatenate([one.pictures for one in every]),
        labels=np.concatenate([one.labels for one in every]),
        sounding=np.concatenate([one.sounding for one in every]),
        sounding_materials=np.concatenate([one.sounding_materials for one in every]),
        has_onsets=np.concatenate([one.has_onsets for one in every]),
        classes=like.classes,
        materials=like.materials,
        seconds=like.seconds,
    )


def _check(manifest: Path, unknown: set[str], what: str) -> None:
    if unknown:
        raise FoleyError(f"{manifest} has {what} that training does not know: {', '.join(sorted(unknown))}.")


def _empty(n: int, seconds: float) -> tuple[npt.NDArray[np.float16], SmallFrames, npt.NDArray[np.bool_]]:
    n_frames = GRID.n_frames(round(seconds * GRID.rate_hz))
    n_pictures = Clock(seconds).tokens(FRAME_HZ)
    return (
        np.empty((n, len(VERSIONS), GRID.n_bands, n_frames), dtype=np.float16),
        np.empty((n, n_pictures, 3, FRAME_PX, FRAME_PX), dtype=np.uint8),
        np.empty(n, dtype=np.bool_),
    )


def _table(found: Sequence[frozenset[str]], names: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Return which names each clip has, shape (n, names)."""
    return np.array([[name in one for name in names] for one in found], dtype=np.bool_).reshape(len(found), len(names))


def _versions(audio: AudioArray, rng: np.random.Generator) -> npt.NDArray[np.float16]:
    rough = roughened(vocoded(audio, rng) if rng.random() < 0.3 else audio, rng)
    return np.stack([audio_input(audio), audio_input(vocoded(audio, rng)), audio_input(rough)]).astype(np.float16)
