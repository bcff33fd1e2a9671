"""Production quality: how clear generated audio is, by Audiobox Aesthetics.

Axis PQ, of four: clarity, fidelity, frequency response, dynamics.
"""

from __future__ import annotations

from foleybench.metrics._families.aesthetics import aesthetics_metric

METRIC = aesthetics_metric(title="Production quality (PQ)", layer="quality", better="higher")
