"""Foley-Flow on the linear path (the paper's DCF)."""

from __future__ import annotations

from pathlib import Path

from foleybench.api.model import Model, TrainContext
from foleymodels.foleyflow.generate import build
from foleymodels.foleyflow.train import train as train_foleyflow


def train(context: TrainContext) -> Path:
    """Train on the linear path."""
    return train_foleyflow(context, path="linear")


MODEL = Model(
    title="Foley-Flow (DCF)",
    kind="model",
    sees=frozenset({"video"}),
    licence="MIT",
    description="The same flow on the linear path.",
    build=build,
    train=train,
)
