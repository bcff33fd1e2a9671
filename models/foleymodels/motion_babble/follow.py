"""Let a level follow the motion of the picture."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from foleybench.clips import FloatArray

# In grey levels: less motion than this is that of a still picture, which rounding and a codec make.
LEAST = 1.0
# Level without an attack over that of one: 26 dB, so that attacks stand out of it down to a twentieth of all motion.
FLOOR = 0.05
# Time in which an attack falls to 1/e: it is 10 dB lower when the next onset can be told apart from it, 60 ms later.
DECAY_S = 0.05


@dataclasses.dataclass(frozen=True, kw_only=True)
class Following:
    """How the level follows the motion.

    Attributes:
        delay_s: Time from motion to sound.
        prominence: How far a peak stands out of the log motion around it to be an attack.
    """

    delay_s: float
    prominence: float


def attacks_s(motion: FloatArray, times_s: FloatArray, prominence: float) -> FloatArray:
    """Return the times of the frames at which the motion has a prominent peak, increasing.

    Args:
        motion: As ``motion_of`` gives it, shape (T,).
        times_s: Time of every frame, shape (T,).
        prominence: In natural logarithms of the motion.
    """
    from scipy.signal import find_peaks  # a third of a second that the other models do not need

    return np.asarray(times_s[find_peaks(_log(motion), prominence=prominence)[0]])


def gain(motion: FloatArray, times_s: FloatArray, following: Following, n: int, rate_hz: float) -> FloatArray:
    """Return the level that follows a motion: 1 at an attack where it is largest, the floor in a still picture.

    The motion over its largest, later by the delay, times an envelope that jumps to 1 at every attack and falls to the
    floor.

    Args:
        motion: As ``motion_of`` gives it, shape (T,).
        times_s: Time of every frame, shape (T,).
        following: The parameters.
        n: Number of values.
        rate_hz: Values a second.

    Returns:
        Shape (n,).
    """
    now = np.arange(n) / rate_hz
    log = _log(motion)
    level = np.exp(np.interp(now - following.delay_s, times_s, log - log.max()))
    envelope = np.full(n, FLOOR)
    # Values from an attack on until it is below the floor.
    reach = math.ceil(DECAY_S * math.log(1.0 / FLOOR) * rate_hz)
    for time_s in attacks_s(motion, times_s, following.prominence) + following.delay_s:
        first = min(n, max(0, math.ceil(time_s * rate_hz)))
        part = now[first : first + reach]
        fallen = np.exp((time_s - part) / DECAY_S)
        envelope[first : first + reach] = np.maximum(envelope[first : first + reach], fallen)
    return np.asarray(level * envelope)


def _log(motion: FloatArray) -> FloatArray:
    return np.log(np.maximum(motion, LEAST))
