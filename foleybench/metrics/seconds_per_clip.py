"""Seconds per clip: mean time to generate the audio of one."""

from __future__ import annotations

from foleybench.metrics._families.speed import speed_metric

METRIC = speed_metric(title="Seconds per clip", unit="s", per_second_of_audio=False)
