"""Draw log-mel spectrograms for pages, on one colour scale."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np

from foleybench.clips import AudioArray, FloatArray
from foleybench.encoders._inputs.spectra import MelGrid, decibels, mel_power
from foleybench.media.audio import resample

_RATE_HZ = 16000
_N_BANDS = 80
_MOST_FRAMES = 720
RANGE_DB = 70.0


def levels_db(audio: AudioArray, rate_hz: int) -> FloatArray:
    """Return the log-mel spectrogram of audio.

    Args:
        audio: Shape (N,).
        rate_hz: Its rate.

    Returns:
        Levels in dB, shape (frames, bands), at most 720 frames for any length, low bands first.
    """
    sound = resample(audio, rate_hz, _RATE_HZ)
    hop = max(80, -(-len(sound) // _MOST_FRAMES))
    grid = MelGrid(rate_hz=_RATE_HZ, window=max(512, hop), hop=hop, n_bands=_N_BANDS, low_hz=40.0, high_hz=8000.0)
    return decibels(mel_power(sound, grid), -150.0)


def png(levels: FloatArray, top_db: float) -> bytes:
    """Return a spectrogram as a PNG, high bands on top; the colours reach black ``RANGE_DB`` below ``top_db``."""
    from matplotlib import image

    buffer = io.BytesIO()
    picture = np.flipud(levels.T)
    # Without the writer's name inside, the same audio gives the same bytes under every version of the writer.
    plain: Any = {"Software": None}
    low_db = top_db - RANGE_DB
    image.imsave(buffer, picture, cmap="magma", vmin=low_db, vmax=top_db, format="png", metadata=plain)
    return buffer.getvalue()


def data_uri(mime: str, data: bytes) -> str:
    """Return bytes as a ``data:`` address."""
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"
