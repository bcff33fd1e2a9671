"""Production quality: how clear and undistorted the generated audio is, on Audiobox Aesthetics.

Axis PQ, of four: clarity, fidelity, frequency response, dynamics.
"""

from __future__ import annotations

from foleybench.metrics._families.aesthetics import aesthetics_metric

METRIC = aesthetics_metric(title="Production quality (PQ)", layer="quality", better="higher")
