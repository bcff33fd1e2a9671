"""A trained Foley-Flow on disk: the flow, and the alignment network that its condition comes from, in one folder."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from torch import Tensor

from foleymodels._parts import checkpoint
from foleymodels.foleyflow.alignment import Alignment
from foleymodels.foleyflow.flow import Flow
from foleymodels.foleyflow.settings import Settings

KIND = "foleyflow"


def save_model(
    folder: Path, flow: Flow, alignment: Alignment | None, origin: dict[str, Any], metrics: dict[str, Any]
) -> Path:
    """Write a model.

    Args:
        folder: Where; made when absent.
        flow: The flow with the weights to keep.
        alignment: The network of its condition, or None for the unconditional one.
        origin: Where it comes from (seed, hash of the data).
        metrics: What was measured in training.

    Returns:
        The folder.
    """
    tensors = {f"flow.{name}": value for name, value in flow.state_dict().items()}
    config: dict[str, Any] = {
        "settings": dataclasses.asdict(flow.settings),
        "origin": origin,
        "metrics": metrics,
        "alignment_settings": None,
    }
    if alignment is not None:
        tensors |= {f"alignment.{name}": value for name, value in alignment.state_dict().items()}
        config["alignment_settings"] = dataclasses.asdict(alignment.settings)
    return checkpoint.save(folder, KIND, tensors, config)


def load_model(folder: Path) -> tuple[Flow, Alignment | None]:
    """Read a model.

    Raises:
        FoleyError: There is none, or it does not fit.
    """
    tensors, config = checkpoint.load(folder, KIND)
    alignment = None
    if config["alignment_settings"] is not None:
        alignment = Alignment(Settings.of_checkpoint(config["alignment_settings"], folder))
        checkpoint.load_into(alignment, part(tensors, "alignment."), folder)
    width = 1 if alignment is None else alignment.condition_dim
    flow = Flow(Settings.of_checkpoint(config["settings"], folder), width)
    checkpoint.load_into(flow, part(tensors, "flow."), folder)
    return flow, alignment


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors below a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
