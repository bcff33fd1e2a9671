"""Read both channels of two-channel audio."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from av.audio.frame import AudioFrame

from foleybench.clips import AudioArray
from foleybench.media.audio_track import SoundTrack
from foleybench.media.demux import Reader, Tracks, choose_tracks, open_media, start_s

_PLAIN_SOUND = frozenset({".wav", ".flac"})


def read_two_channels(path: Path, n: int) -> AudioArray | None:
    """Return both channels of audio as ``media.hear`` lays its mean, or None when the file has not two channels.

    Args:
        path: A file that ``hear`` could read.
        n: How many samples.

    Returns:
        Shape (2, n), at the audio's own rate.
    """
    if path.suffix.lower() not in _PLAIN_SOUND:
        return _from_track(path, n)
    name: Any = os.fsencode(path)  # soundfile takes bytes, its types do not say so
    samples, _ = soundfile.read(name, frames=n, dtype="float32", always_2d=True)
    return np.ascontiguousarray(samples.T, dtype=np.float32) if samples.shape[1] == 2 else None


def _from_track(path: Path, n: int) -> AudioArray | None:
    with open_media(path) as container:
        both = choose_tracks(container)
        track = SoundTrack()
        for frame, time_s in Reader(container, Tracks(None, both.audio), start_s(both)):
            if isinstance(frame, AudioFrame):
                track.add(frame, time_s)
    return track.two_channels(n)
