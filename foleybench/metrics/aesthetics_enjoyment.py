"""Content enjoyment: how pleasing generated audio is, by Audiobox Aesthetics.

Axis CE, of four: emotional response, artistic expression.
"""

from __future__ import annotations

from foleybench.metrics._families.aesthetics import aesthetics_metric

METRIC = aesthetics_metric(title="Content enjoyment (CE)", layer="enjoyment", better="higher")
