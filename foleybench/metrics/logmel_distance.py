"""Log-mel distance: between the spectrograms, frame by frame.

Root mean square over 64 mel bands of the difference in dB, averaged over frames of 16 ms. Levels below -80 dB re full
scale count as -80 dB.

Only the reference recording is right: another recording of the same event, equally good to the ear, is far away. Read
the value as a measure of copying, beside the distances of distributions.
"""

from __future__ import annotations

import numpy as np

from foleybench.clips import FloatArray
from foleybench.metrics._families.differences import difference_metric


def _distance(reference: FloatArray, generated: FloatArray) -> float:
    per_frame = np.sqrt(np.mean((generated - reference) ** 2, axis=1))
    return float(per_frame.mean())


METRIC = difference_metric(
    _distance,
    encoder="logmel",
    layer="bands_db",
    title="Log-mel distance",
    unit="dB",
    source="log-spectral distance, Gray and Markel, IEEE Trans. ASSP 24(5), 1976; on 64 mel bands instead of bins",
    statistic="distance_db",
)
