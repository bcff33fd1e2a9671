"""Stereo width difference: of the power share of left minus right.

Width is the power of half of left minus right, as a share of that and the power of half of left plus right: 0 for both
sides equal, 0.5 for sides that have nothing in common or for one alone, 1 for opposite phase.
"""

from __future__ import annotations

from foleybench.metrics._families.stereo import stereo_metric, width

METRIC = stereo_metric(width, title="Stereo width difference", worst=1.0)
