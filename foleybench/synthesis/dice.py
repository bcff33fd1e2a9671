"""Draw named random quantities, each from a stream of its own.

Named streams make counterfactual pairs exact, and let video and audio use the same quantity.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

_T = TypeVar("_T")


class Dice:
    """Random draws that depend only on a key and a name.

    Args:
        key: Identifies the clip, for instance ``version|seed|clip id``.
        overrides: Values that replace the draw of that name.

    Example:
        >>> dice = Dice("1|0|clip", {"size": 0.5})
        >>> dice.uniform("size", 0.0, 1.0), dice.uniform("x", 2.0, 3.0) == dice.uniform("x", 2.0, 3.0)
        (0.5, True)
    """

    def __init__(self, key: str, overrides: Mapping[str, Any] | None = None) -> None:
        self._key = key
        self._overrides = dict(overrides or {})

    def uniform(self, name: str, low: float, high: float) -> float:
        """Return a number in [low, high)."""
        if name in self._overrides:
            return float(self._overrides[name])
        return low + (high - low) * self._unit(name)

    def choice(self, name: str, options: Sequence[_T]) -> _T:
        """Return one of the options, all equally likely."""
        if name in self._overrides:
            return self._overrides[name]  # type: ignore[no-any-return]
        return options[int(self._unit(name) * len(options))]

    def chance(self, name: str, probability: float) -> bool:
        """Return True with the given probability."""
        return self.uniform(name, 0.0, 1.0) < probability

    def generator(self, name: str) -> np.random.Generator:
        """Return a bulk generator for that name."""
        entropy = int.from_bytes(self._digest(name)[:16], "little")
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))

    def branch(self, name: str) -> Dice:
        """Return independent dice without overrides, for a second actor."""
        return Dice(f"{self._key}|{name}")

    def _unit(self, name: str) -> float:
        # 53 bits, so the result is below 1 in float64.
        return (int.from_bytes(self._digest(name)[:8], "little") >> 11) * 2.0**-53

    def _digest(self, name: str) -> bytes:
        return hashlib.sha256(f"{self._key}|{name}".encode()).digest()
