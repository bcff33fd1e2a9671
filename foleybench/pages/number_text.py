"""Write numbers as text for tables and pages."""

from __future__ import annotations

import math

ARROWS = {"higher": "↑", "lower": "↓"}


_MOST_DECIMALS = 5


def decimals_of(size: float, digits: int) -> int:
    """Return how many decimals show ``digits`` digits of a number of this size, at most five."""
    return min(_MOST_DECIMALS, max(0, digits - 1 - math.floor(math.log10(size))))


def fixed_decimals(value: float, decimals: int) -> str:
    """Return a number with fixed decimals and never a negative zero.

    Example:
        >>> fixed_decimals(-0.0001, 2)
        '0.00'
    """
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def p_text(p_value: float) -> str:
    """Return a p-value as text.

    Example:
        >>> p_text(0.0004999), p_text(0.2345)
        ('0.0005', '0.23')
    """
    return f"{p_value:.4f}" if p_value < 0.01 else f"{p_value:.2f}"
