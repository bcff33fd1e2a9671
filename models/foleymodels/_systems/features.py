"""Provide the frozen frame features that all compared systems share.

They are the condition of an alignment stage: a video feature and an audio plan for every mel token. A system whose
paradigm has fewer frames a second reads them at its own times (``features_at``); one that writes codes after each other
takes the video feature alone (``_autoregression``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from foleybench.clips import Clip
from foleymodels._alignment.conditions import aligned_conditions
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.settings import StageSettings
from foleymodels._alignment.stage import FOLDER, alignment_of, fitting_alignment, trained_alignment
from foleymodels._flow.generate import ClipConditions
from foleymodels._systems.parts import Parts, SystemPart, SystemRun, composed
from foleymodels._training.conditions import Conditions
from foleymodels._training.decoded_data import video_input


def _trained(run: SystemRun, source: str) -> Alignment:
    alignment = trained_alignment(run.job, composed(StageSettings, run.settings), source)
    return alignment.to(run.job.context.device)


def _rebuilt(tensors: dict[str, Tensor], record: dict[str, Any], parts: Parts, folder: Path) -> Alignment:
    return alignment_of(tensors, record, folder)


def _check(settings: Any, folder: Path) -> None:
    fitting_alignment(composed(StageSettings, settings), folder)


FRAME_FEATURES = SystemPart(name=FOLDER, trained=_trained, rebuilt=_rebuilt, check=_check)


def alignment_in(parts: Parts) -> Alignment:
    """Return the network of the frame features among trained parts."""
    alignment = parts[FOLDER]
    assert isinstance(alignment, Alignment)
    return alignment


def frame_conditions(run: SystemRun) -> Conditions:
    """Return the features of every token of the training data, shape (any, condition_dim); computed once a run."""
    job = run.job
    return aligned_conditions(alignment_in(run.parts), job.data, job.context.device, job.conditions_folder)


def clip_conditions(parts: Parts, settings: Any, device: str) -> ClipConditions:
    """Return the function from clips of one length and their number of tokens to features.

    Args:
        parts: Trained parts, on the device.
        settings: All settings of the system.
        device: A torch device name.

    Returns:
        A function that gives features of shape (n_clips, n_tokens, condition_dim).
    """
    alignment = alignment_in(parts)
    wanted = composed(StageSettings, settings).cache

    def condition_of(clips: Sequence[Clip], n_tokens: int) -> Tensor:
        frames = torch.stack([torch.from_numpy(video_input(clip, wanted, device)) for clip in clips])
        return alignment.condition(frames.to(device), n_tokens)

    return condition_of


def features_at(conditions: Tensor, token_hz: float, rate_hz: float) -> Tensor:
    """Return the features at the middles of a coarser grid's intervals; each has the plan of the whole clip.

    Args:
        conditions: Shape (batch, n, dim), one for each mel token.
        token_hz: Mel tokens a second.
        rate_hz: Frames a second wanted.

    Returns:
        Shape (batch, m, dim), m = n * rate_hz / token_hz rounded, at least 1.
    """
    n = conditions.shape[1]
    m = max(1, round(n * rate_hz / token_hz))
    middles_s = (torch.arange(m) + 0.5) / rate_hz
    index = (middles_s * token_hz).long().clamp(max=n - 1)
    return conditions[:, index.to(conditions.device)]


class FeatureScale(nn.Module):
    """Standardises features by the mean and standard deviation of the training data's.

    Attributes:
        centre: Shape (dim,).
        spread: Shape (dim,).
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(dim))
        self.register_buffer("spread", torch.ones(dim))

    @torch.no_grad()
    def measure(self, conditions: Tensor) -> None:
        """Take mean and standard deviation from features of shape (any, dim)."""
        self.centre.copy_(conditions.mean(0))
        self.spread.copy_(conditions.std(0).clamp_min(1e-3))

    def forward(self, conditions: Tensor) -> Tensor:
        """Standardise (..., dim)."""
        return (conditions - self.centre) / self.spread
