"""Draw random numbers for a batch, clip by clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt


class Draws(Protocol):
    """The randomness that systems take: of arrays alone, whose first axis is the clips', or the clips' windows.

    A NumPy generator is one.
    """

    def random(self, size: tuple[int, ...]) -> npt.NDArray[np.float64]:
        """Return uniform numbers in [0, 1)."""
        ...

    def standard_normal(self, size: tuple[int, ...], dtype: Any) -> npt.NDArray[Any]:
        """Return normal numbers of mean 0 and variance 1."""
        ...


class ClipDraws:
    """Gives every clip of a batch the numbers that it would get alone."""

    def __init__(self, rngs: Sequence[np.random.Generator]) -> None:
        """Take a generator for each clip."""
        self._rngs = rngs

    def random(self, size: tuple[int, ...]) -> npt.NDArray[np.float64]:
        """Return uniform numbers; ``size`` begins with the number of clips, or a multiple of it."""
        return np.concatenate([rng.random(self._share(size)) for rng in self._rngs])

    def standard_normal(self, size: tuple[int, ...], dtype: Any) -> npt.NDArray[Any]:
        """Return normal numbers; ``size`` begins with the number of clips, or a multiple of it."""
        return np.concatenate([rng.standard_normal(self._share(size), dtype=dtype) for rng in self._rngs])

    def _share(self, size: tuple[int, ...]) -> tuple[int, ...]:
        each, rest = divmod(size[0], len(self._rngs))
        if rest:
            raise ValueError(f"an array of {size[0]} rows cannot be shared by {len(self._rngs)} clips")
        return (each, *size[1:])
