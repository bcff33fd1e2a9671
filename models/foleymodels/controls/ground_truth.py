"""Control: the real audio, which every metric must rank best."""

from __future__ import annotations

from foleybench.api.model import Model
from foleymodels.controls._change import Control

MODEL = Model(
    title="Ground truth",
    kind="control",
    sees=frozenset({"audio"}),
    licence="MIT",
    description="The real audio at its own rate.",
    build=lambda context: Control(lambda clip, own, rng: own),
)
