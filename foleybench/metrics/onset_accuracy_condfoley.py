"""Onset accuracy (CondFoleyGen): ``onset_accuracy`` as CondFoleyGen's script computes it.

Share of the reference's onsets that find a generated onset closer than 0.1 s, the loudest at its very sample first.
"""

from __future__ import annotations

from foleybench.metrics._families.peer_onsets import CONDFOLEY_SCRIPT, peer_metric

METRIC = peer_metric(CONDFOLEY_SCRIPT, "accuracy", title="Onset accuracy (CondFoleyGen)")
