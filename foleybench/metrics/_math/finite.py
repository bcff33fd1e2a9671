"""Check that numbers are finite before they enter a metric."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from foleybench.clips import FloatArray
from foleybench.errors import FoleyError


def finite(values: npt.NDArray[Any], what: str) -> FloatArray:
    """Return ``values`` as float64.

    Args:
        values: Numbers of any shape.
        what: Name of the numbers, for the message.

    Raises:
        FoleyError: One of them is NaN or infinite.
    """
    array = np.asarray(values, dtype=np.float64)
    n_bad = int(np.count_nonzero(~np.isfinite(array)))
    if n_bad:
        raise FoleyError(f"{what} holds {n_bad} of {array.size} values that are not finite; no number is made of it.")
    return array
