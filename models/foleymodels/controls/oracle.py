"""Oracle: audio synthesised anew from the true events.

Its timing is perfect and its timbre a fresh draw.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foleybench.api.model import Model
from foleybench.clips import AudioArray, Clip, Clock
from foleybench.errors import FoleyError
from foleybench.media.audio import fit_length
from foleybench.synthfoley import VERSION, synthesise


class OracleGenerator:
    """Re-synthesises clips of SynthFoley from their event lists."""

    rate_hz = 16000
    nfe = 0
    guidance: float | None = None

    def generate(self, clips: Sequence[Clip], rng: np.random.Generator) -> list[AudioArray]:
        """Return a new take of each clip's events."""
        return [self._one(clip, rng) for clip in clips]

    def _one(self, clip: Clip, rng: np.random.Generator) -> AudioArray:
        if clip.events is None:
            raise FoleyError(f"clip {clip.clip_id} has no exact events; the oracle works on SynthFoley only.")
        if (version := clip.factors.get("corpus_version")) != VERSION:
            raise FoleyError(
                f"clip {clip.clip_id} is of SynthFoley version {version}; the oracle plays version {VERSION}. "
                "Prepare the data anew: foleybench prepare synthfoley."
            )
        audio = synthesise(clip.events, clip.duration_s, self.rate_hz, rng)
        return fit_length(audio.astype(np.float32), Clock(clip.duration_s).samples(self.rate_hz))


MODEL = Model(
    title="Oracle (true events)",
    kind="oracle",
    sees=frozenset({"events"}),
    licence="MIT",
    description="Audio synthesised anew from the true events: perfect timing, another draw of the timbre.",
    build=lambda context: OracleGenerator(),
)
