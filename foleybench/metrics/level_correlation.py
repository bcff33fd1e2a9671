"""Level correlation: Pearson correlation of the loudness curves.

The curves are RMS levels in dB every 10 ms; gain does not change the value above the floor of -80 dB. Generated audio
whose level never changes, silence for one, follows nothing: 0. A reference whose level never changes gives nothing to
follow and does not apply.
"""

from __future__ import annotations

from foleybench.api.metric import ClipView, Metric, Stat
from foleybench.metrics._families.features import both, read_pair, scalar
from foleybench.metrics._math.correlation import of_curves
from foleybench.stats.pools import Ratio

POOL = Ratio("correlation")

# Standard deviation in dB of a curve that does not move.
CONSTANT_DB = 1e-6


def _per_clip(clip: ClipView) -> Stat | None:
    found = of_curves(*read_pair(clip, "reference", "generated"), constant=CONSTANT_DB)
    return None if found is None else {"correlation": scalar(found)}


METRIC = Metric(
    title="Level correlation",
    version=1,
    unit="1",
    better="higher",
    ideal=1.0,
    worst=-1.0,
    source="foleybench",
    needs=both("envelope", "level_db"),
    per_clip=_per_clip,
    pool=POOL,
    undefined="no reference audio changes its level",
    clip_value=POOL.of_clip,
)
