"""Onset accuracy (MMAudio): share of true onsets hit, MMAudio's script.

A true onset is hit by a generated onset closer than 0.3 s.
"""

from __future__ import annotations

from foleybench.metrics._families.peer_onsets import MMAUDIO_SCRIPT, peer_metric

METRIC = peer_metric(MMAUDIO_SCRIPT, "accuracy", title="Onset accuracy (MMAudio)")
