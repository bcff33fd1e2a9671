"""Read the audio of training clips at a model's rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foleybench.clips import AudioArray, Clip
from foleybench.errors import FoleyError
from foleybench.media.audio import resample

if TYPE_CHECKING:
    # Imported where shards are read: a network is trained where no video can be decoded.
    from foleybench.shards.dataset import ShardDataset


def load_audio(sounds: ShardDataset, clip_id: str, rate_hz: int) -> AudioArray:
    """Return a training clip's audio at a rate, shape (N,).

    Raises:
        FoleyError: The clip has no audio.
    """
    return audio_at(sounds.load(clip_id, video=False), rate_hz)


def audio_at(clip: Clip, rate_hz: int) -> AudioArray:
    """Return the audio of a training clip that was read, at a rate, shape (N,).

    Raises:
        FoleyError: The clip has no audio.
    """
    if clip.audio is None:
        raise FoleyError(f"training clip {clip.clip_id} has lost its audio. Prepare the data again.")
    return resample(clip.audio, clip.rate_hz, rate_hz)
