"""Mel profile distance: does the clip as a whole have the real one's tone colour, whenever things happen.

Power averaged over the whole clip in 64 mel bands; of each band its share of the clip's total in dB, never below
-60 dB; root mean square difference over bands, averaged over clips. Shares of the total do not hear gain, and what a
low-pass takes away stays missing: a lost band counts as -60 dB whatever is left beside it.

Direction: lower is better. Range 0 to 60. Unit: dB. A band below -100 dB re full scale is empty: -60 dB, so in
silence every band is, and a sound so quiet that bands fall below that is heard as duller than it is.
Undefined: no clip was scored.
Sources: none; ours.
Changes: 1 first version. 2 levels by the total power; version 1 took each profile less its own mean in dB, which
follows the empty bands as soon as most are empty: a low-pass at 300 Hz was nearer (16.1 dB) than one at 1 kHz (18.1 dB;
now 29.1 and 23.1; 104 clips of SynthFoley test, ``foleybench sanity``).
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.clips import FloatArray
from foleybench.encoders.logmel import PROFILE_FLOOR_DB
from foleybench.metrics._families.features import read_pair, scalar
from foleybench.stats.pools import Ratio

POOL = Ratio("distance_db")
# What is further below the whole sound than this is not heard beside it, and is rounding in 16-bit files.
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


def _per_clip(clip: ClipView) -> Stat | None:
    reference, generated = read_pair(clip, "reference", "generated")
    return {"distance_db": scalar(float(np.sqrt(np.mean((shares(generated) - shares(reference)) ** 2))))}


METRIC = Metric(
    title="Mel profile distance",
    version=2,
    unit="dB",
    better="lower",
    ideal=0.0,
    source="foleybench",
    needs={
        "reference": Need(encoder="logmel", layer="profile_db", of="reference"),
        "generated": Need(encoder="logmel", layer="profile_db", of="generated"),
    },
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip was scored",
    clip_value=POOL.of_clip,
)
