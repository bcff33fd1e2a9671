"""Change real audio, for all controls.

A control keeps the rate of the clip's own audio, so that a row of real audio keeps its whole band. Controls of a
narrower band (``band_limited``, ``vocoded``) name a rate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from foleybench.api.model import BuildContext, rate_of
from foleybench.clips import AudioArray, Clip, Clock
from foleybench.errors import FoleyError
from foleybench.media.audio import fit_length, resample

AudioChange = Callable[[Clip, AudioArray, np.random.Generator], AudioArray]


class Control:
    """A generator that changes existing audio; no network, so ``nfe`` is 0.

    Attributes:
        rate_hz: Sample rate of the result, or None for the clip's own.
        nfe: Always 0.
        guidance: Always None.
        vocoder: Name of the vocoder that made it, or None.
    """

    nfe = 0
    guidance: float | None = None

    def __init__(self, change: AudioChange, rate_hz: int | None = None, vocoder: str | None = None) -> None:
        """Take the change: from (clip, its own audio at ``rate_hz``, rng) to audio of any length, at the same rate."""
        self.rate_hz, self.vocoder = rate_hz, vocoder
        self._change = change

    def generate(self, clips: Sequence[Clip], rng: np.random.Generator) -> list[AudioArray]:
        """Return the changed audio of each clip, cut or padded to the exact length."""
        return [self._one(clip, rng) for clip in clips]

    def _one(self, clip: Clip, rng: np.random.Generator) -> AudioArray:
        rate_hz = rate_of(self, clip)
        audio = self._change(clip, own_audio(clip, rate_hz), rng)
        return fit_length(audio, Clock(clip.duration_s).samples(rate_hz)).astype(np.float32)


def own_audio(clip: Clip, rate_hz: int) -> AudioArray:
    """Return a clip's real audio at a rate.

    Raises:
        FoleyError: The clip has no audio.
    """
    if clip.audio is None:
        raise FoleyError(f"clip {clip.clip_id} has no audio; this control needs the real one.")
    return fit_length(resample(clip.audio, clip.rate_hz, rate_hz), Clock(clip.duration_s).samples(rate_hz))


def shifted(audio: AudioArray, seconds: float, rate_hz: int) -> AudioArray:
    """Return the audio delayed by ``seconds``, with silence before it; the end is cut."""
    n = round(seconds * rate_hz)
    return np.concatenate([np.zeros(n, dtype=np.float32), audio[: max(0, len(audio) - n)]])[: len(audio)]


def late(seconds: float) -> Control:
    """Return the control that plays the real audio later by ``seconds``."""
    return Control(lambda clip, own, rng: shifted(own, seconds, clip.rate_hz))


def rms(audio: AudioArray) -> float:
    """Return the root mean square of audio; 0 for empty audio."""
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if len(audio) else 0.0


class OtherClips:
    """The other clips of the data set that is being scored.

    Clips of the same source video are never taken: they would share its audio.
    """

    def __init__(self, context: BuildContext, *, same_class: bool) -> None:
        if context.data is None:
            raise FoleyError(
                "this control takes the audio of another clip, so it needs a data set: name one with --data."
            )
        self._data = context.data
        self._same_class = same_class

    def __call__(self, clip: Clip, own: AudioArray, rng: np.random.Generator) -> AudioArray:
        """Return the audio of another clip, drawn with ``rng``, at this clip's rate."""
        entry = self._data.entry(clip.clip_id)
        others = [
            other.clip_id
            for other in self._data.entries()
            if other.source_id != entry.source_id and (other.label == entry.label) == self._same_class
        ]
        if not others:
            wanted = "the same class" if self._same_class else "another class"
            raise FoleyError(f"{self._data.path} has no other clip of {wanted} for {clip.clip_id} ({entry.label!r}).")
        chosen = self._data.load(others[int(rng.integers(len(others)))], video=False)
        return own_audio(chosen, clip.rate_hz)
