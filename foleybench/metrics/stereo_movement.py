"""Stereo movement: correlation of left-right balance over time.

Balance every 50 ms, as in ``stereo_balance_difference``; silent parts are in the middle. Real audio whose balance
varies by less than 0.01 (standard deviation) has no movement to follow and does not apply; generated audio without
any, one channel for one, follows nothing: 0. In recordings of diffuse sound the balance varies by chance, which no
system can follow.
"""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.metrics._families.features import both, read_pair, scalar
from foleybench.metrics._families.stereo import NOTE
from foleybench.metrics._math.correlation import of_curves
from foleybench.stats.pools import Ratio

POOL = Ratio("correlation")
# Standard deviation of a balance that does not move.
CONSTANT = 0.01


def _per_clip(clip: ClipView) -> Stat | None:
    found = of_curves(*read_pair(clip, "reference", "generated"), constant=CONSTANT)
    return None if found is None else {"correlation": scalar(found)}


METRIC = Metric(
    title="Stereo movement",
    version=1,
    unit="1",
    better="higher",
    ideal=1.0,
    worst=-1.0,
    source="foleybench",
    needs=both("stereo", "balance"),
    per_clip=_per_clip,
    pool=POOL,
    undefined="no real audio has two channels whose balance moves",
    note=NOTE,
    clip_value=POOL.of_clip,
)
