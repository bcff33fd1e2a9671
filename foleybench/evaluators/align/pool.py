"""Load clips into memory as network inputs, pool by pool."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foleybench.encoders._nets.mini_nets import GRID, SmallFrames, audio_input, frames_input
from foleybench.errors import FoleyError
from foleybench.media.audio import resample
from foleybench.runtime.progress import Progress
from foleybench.shards.dataset import ShardDataset


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pool:
    """Some clips, ready for training.

    Attributes:
        sounds: One spectrogram (64, T) float16 a clip, a frame per 10 ms.
        pictures: Frames (P, 3, 48, 48) uint8 of each clip, 25 a second.
    """

    sounds: list[npt.NDArray[np.float16]]
    pictures: list[SmallFrames]

    def __len__(self) -> int:
        return len(self.sounds)


class Pools:
    """The pools of a data set: every clip is in one of them, in a seeded order that changes from round to round.

    Attributes:
        n_clips: Number of usable clips.
    """

    def __init__(self, manifest: Path, *, size: int, seed: int) -> None:
        """Open a split.

        Args:
            manifest: Its manifest.
            size: Clips in memory at a time; a clip of 10 s takes 1.9 MB.
            seed: Seed of the order.

        Raises:
            FoleyError: The split has fewer than two clips, so no audio of another clip.
        """
        self._data = ShardDataset(manifest)
        self._seed = seed
        self.n_clips = len(self._data)
        if self.n_clips < 2:
            raise FoleyError(f"{manifest} has {self.n_clips} clips; at least two are needed to swap their audio.")
        # Never a pool of one clip: that clip would have no other audio to be paired with.
        self._n_pools = min(math.ceil(self.n_clips / size), self.n_clips // 2)
        self._held: tuple[tuple[int, int], Pool] | None = None

    def of_round(self, number: int) -> Pool:
        """Return the pool of a round; a data set that fits one pool is read once."""
        epoch, part = divmod(number, self._n_pools)
        epoch = 0 if self._n_pools == 1 else epoch
        if self._held is None or self._held[0] != (epoch, part):
            order = np.random.default_rng([self._seed, epoch]).permutation(self.n_clips)
            chosen = sorted(np.array_split(order, self._n_pools)[part].tolist())
            self._held = (epoch, part), self._read([self._data.clip_ids[index] for index in chosen])
        return self._held[1]

    def _read(self, clip_ids: list[str]) -> Pool:
        sounds, pictures = [], []
        for clip_id in Progress(clip_ids, desc=f"read {self._data.name}", unit="clip"):
            clip = self._data.load(clip_id)
            if clip.audio is None or clip.frames is None:
                raise FoleyError(f"clip {clip_id!r} lacks its audio or video. Prepare the data again.")
            audio = resample(clip.audio, clip.rate_hz, GRID.rate_hz)
            sounds.append(audio_input(audio).astype(np.float16))
            pictures.append(frames_input(clip.frames, clip.frame_times_s, clip.duration_s))
        return Pool(sounds=sounds, pictures=pictures)
