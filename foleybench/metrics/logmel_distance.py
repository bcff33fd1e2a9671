"""Log-mel distance: how far is the spectrogram from the real one, moment by moment.

Log-spectral distance on 64 mel bands: the root mean square over bands of the difference in dB, averaged over frames of
16 ms, then over clips.

Direction: lower is better. Range 0 upwards. Unit: dB. Levels below -80 dB re full scale count as -80 dB.
It knows one right sound only: another sound of the same event, as good to the ear, is far away. Read it as a measure of
copying, beside the distances of distributions.
Undefined: no clip was scored.
Sources: log-spectral distance, Gray and Markel, IEEE Trans. ASSP 24(5), 1976; mel bands instead of bins.
Changes: 1 first version.
"""

from __future__ import annotations

import numpy as np

from foleybench.api.metric import ClipView, Metric, Need, Stat
from foleybench.metrics._families.features import read_pair, scalar
from foleybench.stats.pools import Ratio

POOL = Ratio("distance_db")


def _per_clip(clip: ClipView) -> Stat | None:
    reference, generated = read_pair(clip, "reference", "generated")
    per_frame = np.sqrt(np.mean((generated - reference) ** 2, axis=1))
    return {"distance_db": scalar(float(per_frame.mean()))}


METRIC = Metric(
    title="Log-mel distance",
    version=1,
    unit="dB",
    better="lower",
    ideal=0.0,
    source="Gray and Markel 1976, on 64 mel bands",
    needs={
        "reference": Need(encoder="logmel", layer="bands_db", of="reference"),
        "generated": Need(encoder="logmel", layer="bands_db", of="generated"),
    },
    per_clip=_per_clip,
    pool=POOL,
    undefined="no clip was scored",
    clip_value=POOL.of_clip,
)
