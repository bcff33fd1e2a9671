"""Content usefulness: how usable generated audio is, by Audiobox Aesthetics.

Axis CU, of four: whether one would take it as material for something else.
"""

from __future__ import annotations

from foleybench.metrics._families.aesthetics import aesthetics_metric

METRIC = aesthetics_metric(title="Content usefulness (CU)", layer="usefulness", better="higher")
