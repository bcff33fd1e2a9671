"""Change real audio, for all controls.

A control keeps the rate of the clip's own audio, so that a row of real audio keeps its whole band. Controls of a
narrower band (``band_limited``, ``vocoded``) name a rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from foleybench.api.model import BuildContext, Model, rate_of
from foleybench.clips import AudioArray, Clip, Clock
from foleybench.errors import FoleyError, MediaError
from foleybench.media.audio import fit_length, resample

AudioChange = Callable[[Clip, AudioArray, np.random.Generator], AudioArray]


class Control:
    """A generator that changes existing audio; no network, so ``nfe`` is 0.

    Attributes:
        rate_hz: Sample rate of the result, or None for the clip's own.
        nfe: Always 0.
        guidance: Always None.
        vocoder: Name of the vocoder that made it, or None.
        card: The card that says what was made of this data, where that of the model does not; or None.
    """

    nfe = 0
    guidance: float | None = None

    def __init__(
        self,
        change: AudioChange,
        rate_hz: int | None = None,
        vocoder: str | None = None,
        card: Model | None = None,
    ) -> None:
        """Take the change: from (clip, its own audio at ``rate_hz``, rng) to audio of any length, at the same rate."""
        self.rate_hz, self.vocoder, self.card = rate_hz, vocoder, card
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

    Clips of the same source video are never taken: they would share its audio. A clip without a label is of no class,
    the same or another, unless no clip has one: then any other clip is taken.

    Attributes:
        without_classes: Whether no clip has a label.
    """

    def __init__(self, context: BuildContext, *, same_class: bool) -> None:
        """Take the clips.

        Raises:
            FoleyError: There is no data set, or no clip of it has another one that fits.
        """
        if context.data is None:
            raise FoleyError(
                "this control takes the audio of another clip, so it needs a data set: name one with --data."
            )
        self._data = context.data
        self._same_class = same_class
        self._wanted = "the same class" if same_class else "another class"
        sources: dict[str, set[str]] = {}
        for entry in self._data.entries():
            sources.setdefault(entry.label, set()).add(entry.source_id)
        self.without_classes = sources.keys() <= {""}
        self._require_some(sources)

    def _require_some(self, sources: Mapping[str, set[str]]) -> None:
        classes = {label: videos for label, videos in sources.items() if label or self.without_classes}
        if self._same_class:
            some = any(len(videos) > 1 for videos in classes.values())
        else:
            some = len(classes) > 1 and len(set().union(*classes.values())) > 1
        if not some:
            raise FoleyError(
                f"{self._data.path} has no other clip of {self._wanted} for any clip, of another video; "
                "leave this control out, or take more clips."
            )

    def _fits(self, own: str, other: str) -> bool:
        labelled = bool(own and other) or self.without_classes
        return labelled and (own == other) == self._same_class

    def __call__(self, clip: Clip, own: AudioArray, rng: np.random.Generator) -> AudioArray:
        """Return the audio of another clip, drawn with ``rng``, at this clip's rate.

        Raises:
            MediaError: ``no_other_clip``: none fits this clip.
        """
        entry = self._data.entry(clip.clip_id)
        others = [
            other.clip_id
            for other in self._data.entries()
            if other.source_id != entry.source_id and self._fits(entry.label, other.label)
        ]
        if not others:
            why = (
                f"the data set has no other clip of {self._wanted}, {entry.label!r},"
                if entry.label
                else "it has no label,"
            )
            raise MediaError("no_other_clip", f"{why} so this control makes no audio for it")
        chosen = self._data.load(others[int(rng.integers(len(others)))], video=False)
        return own_audio(chosen, clip.rate_hz)
