"""Mel profile distance: between the spectra averaged over the clip.

Power averaged over the whole clip in 64 mel bands; of each band its share of the clip's total in dB, never below
-60 dB; root mean square difference over bands. Gain does not change shares of the total, and a band lost to a low-pass
stays missing: it counts as -60 dB whatever the level of the others. Time does not matter.

A band below -100 dB re full scale is empty: -60 dB. In silence every band is, and audio so quiet that bands fall below
that level seems duller than it is.

Changes: 2 levels by the total power. Version 1 took each profile less its own mean in dB, which follows the empty bands
as soon as most are empty: a low-pass at 300 Hz was nearer (16.1 dB) than one at 1 kHz (18.1 dB; now 29.1 and 23.1; 104
clips of SynthFoley 1 test, ``foleybench sanity``).
"""

from __future__ import annotations

import numpy as np

from foleybench.clips import FloatArray
from foleybench.encoders._inputs.spectra import PROFILE_FLOOR_DB
from foleybench.metrics._families.differences import difference_metric

# A band further below the whole than this is masked, and is rounding noise in 16-bit files.
RANGE_DB = 60.0


def shares(profile_db: FloatArray) -> FloatArray:
    """Return each band's share of the total power in dB, from -60 to 0.

    Args:
        profile_db: Power per band in dB re full scale, shape (bands,).

    Example:
        >>> shares(np.array([-20.0, -20.0, -85.0, -100.0])).round(2)
        array([ -3.01,  -3.01, -60.  , -60.  ])
    """
    power = np.where(profile_db > PROFILE_FLOOR_DB, 10 ** (profile_db / 10), 0.0)
    total = float(power.sum())
    if not total:
        return np.full(profile_db.shape, -RANGE_DB)
    return np.asarray(10 * np.log10(np.maximum(power / total, 10 ** (-RANGE_DB / 10))), dtype=np.float64)


def _distance(reference: FloatArray, generated: FloatArray) -> float:
    return float(np.sqrt(np.mean((shares(generated) - shares(reference)) ** 2)))


METRIC = difference_metric(
    _distance,
    encoder="logmel",
    layer="profile_db",
    title="Mel profile distance",
    unit="dB",
    worst=RANGE_DB,
    source="foleybench",
    version=2,
    statistic="distance_db",
)
