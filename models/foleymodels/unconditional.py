"""Baseline: the flow without any condition.

The row shows the score of a model that ignores the video.
"""

from __future__ import annotations

from pathlib import Path

from foleybench.api.model import Model, TrainContext
from foleymodels.foleyflow.generate import build
from foleymodels.foleyflow.train import train as train_foleyflow


def train(context: TrainContext) -> Path:
    """Train with the null condition only."""
    return train_foleyflow(context, condition="none")


MODEL = Model(
    title="Unconditional flow",
    kind="baseline",
    sees=frozenset({"video"}),
    licence="MIT",
    description="Draws audio of the training distribution without using the video.",
    build=build,
    train=train,
)
