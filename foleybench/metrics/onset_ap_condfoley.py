"""Onset AP (CondFoleyGen): ``onset_ap`` as CondFoleyGen's script computes it.

Average precision of the generated onsets, ranked by their peak, with missed onsets ranked last. Warning: with nothing
detected nothing is wrong, so silence gets 1.0, as does one right onset of five.
"""

from __future__ import annotations

from foleybench.metrics._families.peer_onsets import CONDFOLEY_SCRIPT, peer_metric

METRIC = peer_metric(CONDFOLEY_SCRIPT, "ap", title="Onset AP (CondFoleyGen), 1 for silence")
