"""Mix training clips of one loudness."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from foleybench.clips import AudioArray
from foleybench.errors import FoleyError
from foleybench.shards.dataset import ShardDataset
from foleymodels._babble.settings import MixtureSettings
from foleymodels._parts.training_audio import load_audio

# Below this RMS (80 dB under full scale) a clip is silent: as loud as the others it would be noise alone.
SILENT = 1e-4


@dataclasses.dataclass(frozen=True)
class Mixture:
    """A mixture of training clips.

    Attributes:
        audio: Shape (N,), root mean square 1.
        clip_ids: The clips in it.
    """

    audio: AudioArray
    clip_ids: tuple[str, ...]


def spread_over(n: int, wanted: int, seed: int) -> list[int]:
    """Return places spread evenly over ``n``: one drawn from each of ``wanted`` equal stretches; all of fewer.

    Equal steps would not do: where a corpus repeats its classes in turn, they can meet a few classes alone.
    """
    edges = np.linspace(0, n, min(n, wanted) + 1).astype(np.int64)
    drawn: list[int] = np.random.default_rng(seed).integers(edges[:-1], edges[1:]).tolist()
    return drawn


def mix(sounds: ShardDataset, settings: MixtureSettings, rate_hz: int, seed: int) -> Mixture:
    """Return the sum of clips spread over a split, each at the same loudness, repeated to the length of the longest.

    Raises:
        FoleyError: No usable clip, one without audio, or only silent ones.
    """
    sounds.require_clips()
    chosen = [sounds.clip_ids[place] for place in spread_over(len(sounds), settings.n_mixed, seed)]
    audio = {clip_id: load_audio(sounds, clip_id, rate_hz) for clip_id in chosen}
    audible = {clip_id: one / loudness(one) for clip_id, one in audio.items() if loudness(one) > SILENT}
    if not audible:
        raise FoleyError(f"the {len(chosen)} training clips taken from {sounds.path} are silent; nothing can be mixed.")
    total = np.zeros(max(map(len, audible.values())))
    for one in audible.values():
        total += np.resize(one, len(total))
    return Mixture((total / loudness(total)).astype(np.float32), tuple(audible))


def loudness(audio: AudioArray | np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Return the root mean square of audio; 0 of none."""
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if len(audio) else 0.0


def typical_loudness(values: Sequence[float]) -> float:
    """Return the median of clips' loudness; silent clips do not count, and 0 is returned where all are."""
    audible = [value for value in values if value > SILENT]
    return float(np.median(audible)) if audible else 0.0


def at_level(audio: AudioArray, level: float) -> AudioArray:
    """Return audio times a level, or less where it would pass full scale."""
    top = float(np.abs(audio).max(initial=0.0))
    return (audio * min(level, 1.0 / top if top > 0.0 else level)).astype(np.float32)


def played(audio: AudioArray, n_samples: int) -> AudioArray:
    """Return the first samples of audio that is repeated without end, shape (n_samples,)."""
    return np.resize(audio, n_samples)
