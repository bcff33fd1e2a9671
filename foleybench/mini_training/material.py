"""What the evaluators are trained on: each clip once, as the nets hear and see it, in three versions of its sound."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from foleybench.clips import AudioArray
from foleybench.encoders._mini_nets import GRID, PictureArray, heard, seen
from foleybench.errors import FoleyError
from foleybench.mini_training.artefacts import roughened, vocoded
from foleybench.shards import ShardDataset
from foleybench.sound import resample

VERSIONS = ("clean", "vocoded", "rough")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Material:
    """Clips of one length, ready for training.

    Attributes:
        sounds: Shape (n, 3, 64, T) float16: spectrograms of the clean, the vocoded and the roughened sound.
        pictures: Shape (n, P, 3, 48, 48) uint8.
        labels: Shape (n,), indices into ``classes``.
        has_onsets: Shape (n,), whether the clip has onset events, so that time can be told from them.
        classes: Class names.
    """

    sounds: npt.NDArray[np.float16]
    pictures: PictureArray
    labels: npt.NDArray[np.int64]
    has_onsets: npt.NDArray[np.bool_]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


def gather(manifest: Path, *, seed: int, seconds: float, classes: tuple[str, ...] = ()) -> Material:
    """Read a split and make what the nets are fed.

    Args:
        manifest: Manifest of the split.
        seed: Seed of the artefacts.
        seconds: Clips are cut to this length; shorter ones are left out.
        classes: Class names in the order wanted, or none to take the split's own, sorted.

    Raises:
        FoleyError: A clip has a label that is not among ``classes``, or no clip is long enough.
    """
    data = ShardDataset(manifest)
    entries = [data.entry(clip_id) for clip_id in data.clip_ids]
    names = classes or tuple(sorted({entry.label for entry in entries}))
    unknown = sorted({entry.label for entry in entries} - set(names))
    if unknown:
        raise FoleyError(f"{manifest} has classes that training does not know: {', '.join(unknown)}.")
    sounds, pictures, labels, onsets = [], [], [], []
    for number, clip in enumerate(tqdm(data.clips(), total=len(data), desc=f"read {manifest.name}", disable=None)):
        if clip.audio is None or clip.frames is None or clip.duration_s < seconds:
            continue
        audio = resample(clip.audio, clip.rate_hz, GRID.rate_hz)[: round(seconds * GRID.rate_hz)]
        sounds.append(_versions(audio, np.random.default_rng([seed, number])))
        pictures.append(seen(clip.frames, clip.frame_times_s, seconds))
        labels.append(names.index(clip.label))
        onsets.append(len(clip.onset_times_s()) > 0)
    if not labels:
        raise FoleyError(f"{manifest} has no clip of {seconds} s or more.")
    return Material(
        sounds=np.stack(sounds),
        pictures=np.stack(pictures),
        labels=np.asarray(labels, dtype=np.int64),
        has_onsets=np.asarray(onsets),
        classes=names,
    )


def _versions(audio: AudioArray, rng: np.random.Generator) -> npt.NDArray[np.float16]:
    rough = roughened(vocoded(audio, rng) if rng.random() < 0.3 else audio, rng)
    return np.stack([heard(audio), heard(vocoded(audio, rng)), heard(rough)]).astype(np.float16)
