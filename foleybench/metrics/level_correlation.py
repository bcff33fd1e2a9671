"""Level correlation: Pearson correlation of the loudness curves.

The curves are RMS levels in dB every 10 ms, from the first to the last in which either is heard (above -60 dB re full
scale). Gain changes it only where levels reach that limit or the floor of -80 dB. Generated audio whose level never
changes, silence for one, follows nothing: 0. Real audio that is silent, or whose level never changes, gives nothing to
follow, and fewer than five steps leave nothing to compare: these clips do not apply.

Silence that both share at an end may be padding, and would raise the value the more the longer it is. Where both begin,
or end, in the same step, 30 ms there are left out too: a level is over 25 ms, and where these reach into silence both
fall alike. Silence between sounds stays: without it, sounds at independent times would correlate negatively (-0.77 for
four short hits a clip, -0.02 with it). A lone sound at the wrong time does get a negative value.

Changes: 2 leaves shared silence at the ends out. In 1, the 17 ms of padding that a codec left at the end of both files
took four seconds of steady real sound from 0.01 to 0.75.
"""

from __future__ import annotations

import numpy as np

from foleybench.clips import FloatArray
from foleybench.metrics._families.curves import Curves, curve_correlation
from foleybench.metrics._families.silence import SILENT_DB

# Windows of 25 ms, one every 10 ms: three at most reach over an end, wherever it lies between steps.
MARGIN = 3
FEWEST = 5


def while_heard(reference: FloatArray, generated: FloatArray) -> Curves:
    """Return both curves from the first to the last step heard, less what may reach into silence that both share.

    Args:
        reference: Levels of the real audio in dB, shape (T,).
        generated: Levels of the generated audio in dB, shape (T,).

    Returns:
        Both, shape (K,); K is 0 where the real audio is silent, or fewer than ``FEWEST`` steps are left.

    Example:
        >>> curve = np.concatenate([np.full(9, -80.0), np.arange(-30.0, -19.0), np.full(40, -80.0)])
        >>> while_heard(curve, curve)[0].tolist()
        [-27.0, -26.0, -25.0, -24.0, -23.0]
    """
    real, made = reference > SILENT_DB, generated > SILENT_DB
    at = np.flatnonzero(real | made)
    if not real.any():
        return reference[:0], generated[:0]
    first, last = at[0], at[-1]
    start = first + MARGIN * (real[first] and made[first])
    stop = last + 1 - MARGIN * (real[last] and made[last])
    part = slice(start, stop) if stop - start >= FEWEST else slice(0)
    return reference[part], generated[part]


METRIC = curve_correlation(
    "Level correlation",
    "envelope",
    "level_db",
    constant=1e-6,
    undefined="no clip has real audio that is heard and changes its level",
    version=2,
    keep=while_heard,
)
