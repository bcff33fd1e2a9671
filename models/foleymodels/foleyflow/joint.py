"""Train flow and alignment network together, without an alignment stage.

This is ``stage1=none``, the arm without VAMA of the paper's Table 2. It has what the arm with VAMA has: the steps of
both stages together, each network's own learning rate, standardised conditions from a whole window around every crop,
and mirrored examples. What differs is that one loss trains both networks in every step.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from foleybench.clips import IntArray
from foleymodels._alignment.objective import Draw
from foleymodels._alignment.stage import new_alignment
from foleymodels._flow.training import crop_tokens, flow_loss
from foleymodels._training.data_parallel import share
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.loop import seeded
from foleymodels._training.transfer import to_device
from foleymodels.foleyflow.checkpoints import FoleyFlow, new_flow
from foleymodels.foleyflow.settings import FoleyFlowSettings

_N_SCALE = 64


class Joint(nn.Module):
    """Both networks, and their one loss."""

    def __init__(self, settings: FoleyFlowSettings, seed: int, data: TrainingData, device: str) -> None:
        """Take the settings of a run; ``data`` and ``device`` are for the pretraining of frozen encoders."""
        super().__init__()
        self._settings = settings
        self.alignment = new_alignment(settings.stage, seed, data, device)
        self.flow = seeded(lambda: new_flow(settings, self.alignment.condition_dim), seed)

    @property
    def model(self) -> FoleyFlow:
        """Both networks."""
        return FoleyFlow(self._settings, self.flow, self.alignment)

    @torch.no_grad()
    def fit_scale(self, data: TrainingData) -> None:
        """Set the standardisation from what the starting network says of clips evenly spread over the training set."""
        indices = torch.linspace(0, len(data) - 1, min(len(data), _N_SCALE)).round().long()
        starts = np.zeros(len(indices), dtype=np.int64)
        draw = Draw(data=data, audio_of=indices, video_of=indices, starts=starts)
        self.flow.fit_scale(self._window(draw).flatten(0, 1).float())

    def loss(self, data: TrainingData, indices: Tensor, starts: IntArray, generator: torch.Generator) -> Tensor:
        """Return the flow's loss of a batch of crops; the standardisation follows the conditions.

        Args:
            data: The clips.
            indices: Clips of the crops, shape (batch,).
            starts: Where they start, in units of the data, shape (batch,).
            generator: The only source of randomness.
        """
        n_tokens, device = crop_tokens(self.flow), self.flow.null.device
        mirror_p = self._settings.alignment.mirror_p
        mirrored = share().rows(torch.rand(len(indices) * share().of, generator=generator) < mirror_p)
        before = window_starts(data, indices, starts, n_tokens, self._n_window(data))
        draw = Draw(data=data, audio_of=indices, video_of=indices, starts=before, mirrored=mirrored)
        whole = self._window(draw)
        self.flow.follow_scale(share().gathered(whole.detach()).flatten(0, 1).float())
        first = torch.from_numpy((starts - before) * data.settings.unit[1]).to(device)
        at = first[:, None] + torch.arange(n_tokens, device=device)
        condition = whole.gather(1, at[..., None].expand(-1, -1, whole.shape[-1]))
        return flow_loss(self.flow, data.crop_tokens(indices, starts, n_tokens, device), condition, generator)

    def _n_window(self, data: TrainingData) -> int:
        """Return the tokens of a window: of the longest that generation uses, by whole units longer than a crop."""
        n_tokens, per_unit = crop_tokens(self.flow), data.settings.unit[1]
        return n_tokens + max(0, self._settings.signal.n_tokens - n_tokens) // per_unit * per_unit

    def _window(self, draw: Draw) -> Tensor:
        """Return the conditions of whole windows, shape (batch, tokens of a window, condition_dim)."""
        signal, n_tokens = self._settings.signal, self._n_window(draw.data)
        frames = to_device(draw.frames(signal.frames(n_tokens / signal.mel.token_hz)), self.flow.null.device)
        return self.alignment.features(frames, n_tokens)


def window_starts(data: TrainingData, indices: Tensor, starts: IntArray, n_tokens: int, n_window: int) -> IntArray:
    """Return where the windows start that crops lie in: in their middle, or as near to it as the clip allows.

    Args:
        data: The clips, none shorter than a window.
        indices: Clips of the crops, shape (batch,).
        starts: Where the crops start, in units of the data, shape (batch,).
        n_tokens: Tokens of a crop.
        n_window: Tokens of a window, whole units more than those of a crop.

    Returns:
        Shape (batch,), in units of the data.
    """
    per_unit = data.settings.unit[1]
    last = (np.diff(data.token_offsets)[indices.numpy()] - n_window) // per_unit
    found: IntArray = np.clip(starts - (n_window - n_tokens) // 2 // per_unit, 0, np.maximum(last, 0))
    return found
