"""Write and read a trained Foley-Flow.

Flow and alignment network are in one folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from torch import Tensor, nn

from foleybench.api.model import TrainContext
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.stage import alignment_of, record_of
from foleymodels._flow.network import Flow
from foleymodels._parts import checkpoint
from foleymodels._parts.settings import read_settings
from foleymodels._training.job import save_checkpoint
from foleymodels.foleyflow.settings import FoleyFlowSettings

KIND = "foleyflow"


class FoleyFlow(NamedTuple):
    """A trained model.

    Attributes:
        settings: Settings of its training.
        flow: The flow.
        alignment: The network of its condition, or None for the unconditional one.
    """

    settings: FoleyFlowSettings
    flow: Flow
    alignment: Alignment | None


def new_flow(settings: FoleyFlowSettings, condition_dim: int) -> Flow:
    """Return an untrained flow for some settings."""
    return Flow(settings.flow, settings.signal.mel, condition_dim, told_span=settings.head.head == "imf")


def save_model(folder: Path, model: FoleyFlow, context: TrainContext, stage: str) -> None:
    """Write a model with its settings, origin and measurements, in the first process.

    Args:
        folder: Folder of the model; made when absent.
        model: The model.
        context: The run's settings.
        stage: The finished stage.
    """
    modules: dict[str, nn.Module] = {"flow": model.flow}
    if model.alignment is not None:
        modules["alignment"] = model.alignment
    record = None if model.alignment is None else record_of(model.alignment)
    tensors = checkpoint.joined_weights(modules)
    save_checkpoint(folder, KIND, model.settings, tensors, context, stage, alignment_settings=record)


def load_foleyflow(folder: Path) -> FoleyFlow:
    """Read a model.

    Raises:
        FoleyError: There is no model, or it does not fit.
    """
    tensors, config = checkpoint.read_checkpoint(folder, KIND)
    settings = read_settings(FoleyFlowSettings, config["settings"], folder)
    alignment = _alignment(tensors, config["alignment_settings"], folder)
    flow = new_flow(settings, 1 if alignment is None else alignment.condition_dim)
    checkpoint.load_into(flow, checkpoint.below(tensors, "flow"), folder)
    return FoleyFlow(settings, flow, alignment)


def _alignment(tensors: dict[str, Tensor], record: dict[str, object] | None, folder: Path) -> Alignment | None:
    if record is None:
        return None
    return alignment_of(checkpoint.below(tensors, "alignment"), record, folder)
