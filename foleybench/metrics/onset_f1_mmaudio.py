"""Onset F1 (MMAudio): F1 against true onsets, MMAudio's script.

A pair is closer than 0.3 s; onsets whose scaled peak is 0 count as not detected.
"""

from __future__ import annotations

from foleybench.metrics._families.peer_onsets import MMAUDIO_SCRIPT, peer_metric

METRIC = peer_metric(MMAUDIO_SCRIPT, "f1", title="Onset F1 (MMAudio)")
