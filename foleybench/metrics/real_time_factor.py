"""Real-time factor: seconds of computing per second of audio.

Times and lengths are summed over all clips; below 1 is faster than real time.
"""

from __future__ import annotations

from foleybench.metrics._families.speed import speed_metric

METRIC = speed_metric(title="Real-time factor", unit="1", per_second_of_audio=True)
