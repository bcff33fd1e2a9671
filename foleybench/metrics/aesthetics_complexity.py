"""Production complexity: how many components generated audio has, by Audiobox Aesthetics.

Axis PC, of four. Its authors give it no direction; lower counts as better here, as in the tables of
HunyuanVideo-Foley (df7b005, README). Read it as a description: silence is not complex.
"""

from __future__ import annotations

from foleybench.metrics._families.aesthetics import aesthetics_metric

METRIC = aesthetics_metric(title="Production complexity (PC)", layer="complexity", better="lower")
