"""Foley-Flow with a static condition, the ablation of "dynamic".

The mean over time goes through the same layers.
"""

from __future__ import annotations

from pathlib import Path

from foleybench.api.model import Model, TrainContext
from foleymodels.foleyflow.generate import build
from foleymodels.foleyflow.train import train as train_foleyflow


def train(context: TrainContext) -> Path:
    """Train with the condition averaged over time."""
    return train_foleyflow(context, condition="static")


MODEL = Model(
    title="Foley-Flow, static condition",
    kind="baseline",
    sees=frozenset({"video"}),
    licence="MIT",
    description="The same flow whose condition is averaged over the clip: it knows which events, not when.",
    build=build,
    train=train,
)
