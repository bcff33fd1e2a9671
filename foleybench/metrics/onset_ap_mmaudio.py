"""Onset AP (MMAudio): average precision against true onsets, MMAudio's script.

Generated onsets are ranked by their peak and matched to true onsets closer than 0.3 s. Warning: silence gets 1.0.
"""

from __future__ import annotations

from foleybench.metrics._families.peer_onsets import MMAUDIO_SCRIPT, peer_metric

METRIC = peer_metric(MMAUDIO_SCRIPT, "ap", title="Onset AP (MMAudio)")
