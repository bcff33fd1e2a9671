"""Pass audio through Opus and back, without delay."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np

from foleybench.clips import AudioArray
from foleybench.media.audio import fit_length, resample

_RATE_HZ = 48000
_FRAME = 960
# Padding that libopus puts before audio, in samples at 48 kHz; the Ogg header states it and FFmpeg removes it.
_LEAST_KBPS = 6.0


def opus(audio: AudioArray, rate_hz: int, kbps: float) -> AudioArray:
    """Return audio after Opus: encoded at a bit rate, decoded, brought back to its rate and length.

    Args:
        audio: Shape (N,), mono.
        rate_hz: Its rate.
        kbps: Bit rate in kbit/s, 6 or more.

    Raises:
        ValueError: A bit rate that Opus does not have.
    """
    if kbps < _LEAST_KBPS:
        raise ValueError(f"Opus has no {kbps} kbit/s; {_LEAST_KBPS} is its lowest rate.")
    if not len(audio):
        return audio
    coded = _encoded(resample(audio, rate_hz, _RATE_HZ), kbps)
    decoded = _decoded(coded)
    return fit_length(resample(decoded, _RATE_HZ, rate_hz), len(audio))


def _encoded(audio: AudioArray, kbps: float) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=_RATE_HZ, layout="mono")
        stream.codec_context.bit_rate = round(kbps * 1000)
        for start in range(0, len(audio), _FRAME):
            part = np.clip(fit_length(audio[start : start + _FRAME], _FRAME), -1.0, 1.0)
            frame = av.AudioFrame.from_ndarray(part[None].astype(np.float32), format="flt", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = _RATE_HZ, Fraction(1, _RATE_HZ), start
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def _decoded(coded: bytes) -> AudioArray:
    with av.open(io.BytesIO(coded), "r") as container:
        parts = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate(parts).astype(np.float32)
