"""Control: silence."""

from __future__ import annotations

import numpy as np

from foleybench.api.model import Model
from foleymodels.controls._change import Control

MODEL = Model(
    title="Silence",
    kind="control",
    sees=frozenset({"audio"}),
    licence="MIT",
    description="Silence from start to end.",
    build=lambda context: Control(lambda clip, own, rng: np.zeros_like(own)),
)
