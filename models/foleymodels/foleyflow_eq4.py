"""Foley-Flow whose alignment stage learns by the paper's Eq. 4 alone.

No part on changes, loudness or attacks stands beside it, no example is masked whole, and the ratio is the one that
times best so in Table 5.
"""

from __future__ import annotations

from pathlib import Path

from foleybench.api.model import Model, TrainContext
from foleymodels.foleyflow.generate import build
from foleymodels.foleyflow.train import train as train_foleyflow


def train(context: TrainContext) -> Path:
    """Train with Eq. 4 as the only loss of the alignment stage."""
    return train_foleyflow(
        context, mask_ratio=0.3, full_mask_p=0.0, change_weight=0.0, level_weight=0.0, attack_weight=0.0
    )


MODEL = Model(
    title="Foley-Flow (GDCF), Eq. 4 alone",
    kind="model",
    sees=frozenset({"video"}),
    licence="MIT",
    description="The same network and flow; the alignment stage learns by Eq. 4 alone, with a masking ratio of 0.3.",
    build=build,
    train=train,
)
