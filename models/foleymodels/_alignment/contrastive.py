"""Align by contrast: ``infonce`` between clips, ``cavp`` within a clip, too.

``infonce`` compares whole crops (section 1 of the paper: "pairs as a whole"). ``cavp`` is what Diff-Foley, the paper's
own comparator, does: several windows a clip, at least 8 frames apart, contrasted between clips and within the clip,
with equal weights. Source: luosiallen/Diff-Foley training/open_cavp_main (three windows, shift of 8 frames, max pooling
over time).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleybench.clips import IntArray
from foleybench.errors import FoleyError
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.objective import Draw, Objective
from foleymodels._parts.contrast import LOG_SCALE, info_nce, scale_of
from foleymodels._small_encoders.nets import AudioEncoder
from foleymodels._training.data_parallel import share
from foleymodels._training.loop import Losses
from foleymodels._training.transfer import to_device


class ContrastiveObjective(Objective):
    """Two towers, two projections and a learned temperature."""

    def __init__(self, alignment: Alignment) -> None:
        super().__init__(alignment)
        dim = self.settings.vama_dim
        self.tower = AudioEncoder(alignment.signal.mel.token_dim, dim)
        self.see = nn.Linear(dim, self.settings.contrast_dim)
        self.hear = nn.Linear(dim, self.settings.contrast_dim)
        self.log_scale = nn.Parameter(torch.tensor(LOG_SCALE))

    def embed(self, frames: Tensor, tokens: Tensor, *, peak: bool) -> tuple[Tensor, Tensor]:
        """Return unit vectors of video and audio, both (batch, contrast_dim), of the whole batch.

        Args:
            frames: Maps, shape (batch, m, cells, cells, 6).
            tokens: Mel tokens, shape (batch, n, token_dim).
            peak: Pool by the largest over time and not by the mean.
        """
        _, state, _ = self.alignment(frames, None, None, tokens.shape[1])
        audio = self.tower(tokens)
        pooled = (state.amax(1), audio.amax(1)) if peak else (state.mean(1), audio.mean(1))
        video, audio = F.normalize(self.see(pooled[0]), dim=-1), F.normalize(self.hear(pooled[1]), dim=-1)
        return share().gathered(video), share().gathered(audio)  # clips are contrasted with those of all processes

    def compare(self, video: Tensor, audio: Tensor) -> Tensor:
        """Return the symmetric InfoNCE loss over the second last axis of (..., n, contrast_dim)."""
        return info_nce(video, audio, scale_of(self.log_scale))


class InfoNceObjective(ContrastiveObjective):
    """Contrasts whole crops of different clips; features are averaged over time."""

    def forward(self, draw: Draw, generator: torch.Generator) -> Losses:
        """Return ``loss``."""
        frames = to_device(draw.frames(self.n_frames), self.device)
        tokens = draw.tokens(self.n_tokens, device=self.device)
        return {"loss": self.compare(*self.embed(frames, tokens, peak=False))}


class CavpObjective(ContrastiveObjective):
    """Contrasts windows with those of other clips and with other windows of the same clip."""

    @property
    def crop_tokens(self) -> int:
        """Windows are cut from the longest stretch that every clip has."""
        return self.alignment.signal.n_tokens

    def forward(self, draw: Draw, generator: torch.Generator) -> Losses:
        """Return ``loss`` and its parts."""
        settings, signal = self.settings, self.alignment.signal
        n_frames, n_tokens = signal.frames(settings.cavp_window_s), signal.tokens(settings.cavp_window_s)
        offsets = self._offsets(draw, generator)
        frames = torch.stack([draw.frames(n_frames, offset) for offset in offsets.T], dim=1)
        tokens = torch.stack([draw.tokens(n_tokens, offset) for offset in offsets.T], dim=1)
        embedded = self.embed(frames.flatten(0, 1).to(self.device), tokens.flatten(0, 1).to(self.device), peak=True)
        video, audio = (part.reshape(-1, offsets.shape[1], settings.contrast_dim) for part in embedded)
        between = self.compare(video.transpose(0, 1), audio.transpose(0, 1))
        within = self.compare(video, audio)
        return {"loss": between + settings.cavp_weight * within, "between": between, "within": within}

    def _offsets(self, draw: Draw, generator: torch.Generator) -> IntArray:
        """Draw the starts of each clip's windows, in units, shape (batch, n_windows), increasing."""
        settings, signal, unit_frames = self.settings, self.alignment.signal, draw.data.settings.unit[0]
        apart = -(-settings.cavp_shift_frames // unit_frames)
        length = signal.frames(settings.cavp_window_s)
        room = round(signal.window_s * signal.grid_hz - length) // unit_frames + 1
        free = room - (settings.cavp_windows - 1) * (apart - 1)
        if free < settings.cavp_windows:
            raise FoleyError(
                f"{settings.cavp_windows} windows of {settings.cavp_window_s} s, {settings.cavp_shift_frames} frames "
                f"apart, do not fit in clips of {signal.window_s} s. Lower cavp_window_s or cavp_windows."
            )
        n_clips = len(draw.audio_of) * share().of
        ranks = share().rows(torch.rand(n_clips, free, generator=generator).argsort(dim=1))
        chosen = ranks[:, : settings.cavp_windows].sort(dim=1).values.numpy()
        offsets: IntArray = chosen + np.arange(settings.cavp_windows) * (apart - 1)
        return offsets
