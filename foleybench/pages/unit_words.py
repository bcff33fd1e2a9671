"""Write the units of metrics in words."""

from __future__ import annotations

from foleybench import registry
from foleybench.errors import FoleyError

NO_UNIT = "1"
_WORDS = {
    "%": "percent",
    "s": "seconds",
    "dB": "decibels",
    "nat": "nats",
    "octave": "octaves",
    "semitone": "semitones",
    "ms": "milliseconds",
}


def unit_words(name: str, unit: str) -> str:
    """Return a metric's unit in words; for a number without one, the range that it lies in.

    Args:
        name: Registry name of the metric; one that is not installed has no known range.
        unit: The unit as results have it; ``1`` for a number without one.

    Example:
        >>> unit_words("level_difference", "dB"), unit_words("onset_agreement", "1"), unit_words("theirs", "1")
        ('decibels', '0 to 1', 'no unit')
    """
    if unit != NO_UNIT:
        return _WORDS.get(unit, unit)
    try:
        low, high = registry.load("metrics", name).range
    except FoleyError:
        return "no unit"
    return f"{low:g} to {high:g}" if low is not None and high is not None else "no unit"
