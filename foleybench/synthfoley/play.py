"""Turn a list of events into audio."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foleybench.clips import AudioArray, Clock, Event
from foleybench.synthesis.noise import band
from foleybench.synthesis.room import room
from foleybench.synthfoley.classes import load_class
from foleybench.synthfoley.rubbed import rubbed
from foleybench.synthfoley.struck import struck

_FLOOR = 4e-4
_CEILING = 0.98


def synthesise(events: Sequence[Event], duration_s: float, rate_hz: int, rng: np.random.Generator) -> AudioArray:
    """Make audio from the events of a clip: with a new draw of everything that the list does not state.

    Args:
        events: The clip's events; silent ones are ignored.
        duration_s: Length of the clip.
        rate_hz: Sample rate.
        rng: Draws mode gains, phases, noise, room and microphone.

    Returns:
        Shape (``Clock(duration_s).samples(rate_hz)``,), float32, within [-1, 1].
    """
    n_samples = Clock(duration_s).samples(rate_hz)
    dry = np.zeros(n_samples, dtype=np.float32)
    audible = [event for event in events if event.audible]
    for source in sorted({event.source for event in audible}):
        own = [event for event in audible if event.source == source]
        sound_class = load_class(own[0].label)
        play = rubbed if sound_class.kind == "span" else struck
        dry += play(own, sound_class, n_samples, rate_hz, rng)
    wet = room(dry, rate_hz, distance_m=1.0, rng=rng)
    wet += np.float32(_FLOOR) * band(n_samples, rate_hz, 60.0, 0.4 * rate_hz, rng=rng)
    top = float(np.abs(wet).max())
    # Levels carry information, so a clip is scaled only when several loud events at once would clip.
    return wet if top <= _CEILING else np.asarray(wet * np.float32(_CEILING / top), dtype=np.float32)
