"""Stereo correlation difference: of how alike left and right are.

Correlation of the samples of both sides over the whole clip: 1 when equal but for their level, 0 when they have nothing
in common or one is silent, -1 in opposite phase. Unlike width it does not change with the balance of one sound.
"""

from __future__ import annotations

from foleybench.metrics._families.stereo import correlation, stereo_metric

METRIC = stereo_metric(correlation, title="Stereo correlation difference", worst=2.0)
