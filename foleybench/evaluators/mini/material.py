"""Make the evaluators' training data: network inputs of each clip."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foleybench.clips import AudioArray, Clock
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
        labels: Shape (n,), indices into ``classes``.
        has_onsets: Shape (n,), whether the clip has onset events, from which shifts can be recognised.
        classes: Class names.
    """

    sounds: npt.NDArray[np.float16]
    pictures: SmallFrames
    labels: npt.NDArray[np.int64]
    has_onsets: npt.NDArray[np.bool_]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


def gather(manifest: Path, *, seed: int, classes: tuple[str, ...] = ()) -> TrainingMaterial:
    """Read a split and make the nets' inputs.

    Args:
        manifest: Manifest of the split; at most ``MOST_CLIPS`` of its clips are drawn.
        seed: Seed of the draw and of the artefacts.
        classes: Class names in the order wanted, or none to take the split's own, sorted.

    Raises:
        FoleyError: A clip has a label that is not among ``classes``, or there are no clips, or they are too short.
    """
    data = ShardDataset(manifest)
    rng = np.random.default_rng(seed)
    clip_ids = [data.clip_ids[i] for i in sorted(rng.permutation(len(data))[:MOST_CLIPS])]
    entries = [data.entry(clip_id) for clip_id in clip_ids]
    names = classes or tuple(sorted({entry.label for entry in entries}))
    seconds = min((float(entry.facts["duration_s"]) for entry in entries), default=0.0)
    _check(manifest, sorted({entry.label for entry in entries} - set(names)), seconds)
    seconds = min(seconds, LONGEST_S)
    made = _empty(len(clip_ids), seconds, names)
    for number, clip_id in enumerate(Progress(clip_ids, desc=f"read {manifest.name}")):
        clip = data.load(clip_id)
        if clip.audio is None or clip.frames is None:
            raise FoleyError(f"{manifest}: clip {clip_id!r} lacks its audio or video. Prepare the data again.")
        audio = resample(clip.audio, clip.rate_hz, GRID.rate_hz)[: round(seconds * GRID.rate_hz)]
        made.sounds[number] = _versions(audio, np.random.default_rng([seed, number]))
        made.pictures[number] = frames_input(clip.frames, clip.frame_times_s, seconds)
        made.labels[number] = names.index(clip.label)
        made.has_onsets[number] = len(clip.onset_times_s()) > 0
    return made


def _check(manifest: Path, unknown: list[str], seconds: float) -> None:
    if unknown:
        raise FoleyError(f"{manifest} has classes that training does not know: {', '.join(unknown)}.")
    if seconds < SHORTEST_S:
        raise FoleyError(f"{manifest}: the shortest clip has {seconds} s, at least {SHORTEST_S} s are needed.")


def _empty(n: int, seconds: float, classes: tuple[str, ...]) -> TrainingMaterial:
    n_frames = GRID.n_frames(round(seconds * GRID.rate_hz))
    n_pictures = Clock(seconds).tokens(FRAME_HZ)
    return TrainingMaterial(
        sounds=np.empty((n, len(VERSIONS), GRID.n_bands, n_frames), dtype=np.float16),
        pictures=np.empty((n, n_pictures, 3, FRAME_PX, FRAME_PX), dtype=np.uint8),
        labels=np.empty(n, dtype=np.int64),
        has_onsets=np.empty(n, dtype=np.bool_),
        classes=classes,
    )


def _versions(audio: AudioArray, rng: np.random.Generator) -> npt.NDArray[np.float16]:
    rough = roughened(vocoded(audio, rng) if rng.random() < 0.3 else audio, rng)
    return np.stack([audio_input(audio), audio_input(vocoded(audio, rng)), audio_input(rough)]).astype(np.float16)
