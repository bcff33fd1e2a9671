"""Train alignment on true classes and onsets (``onset_sup``).

The objective is an upper bound for the alignment stage, on data with known events; never ranked.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleybench.errors import FoleyError
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.objective import Draw, Objective
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.loop import Losses


class OnsetObjective(Objective):
    """Onset or not for every token, and the class of the clip."""

    def __init__(self, alignment: Alignment, data: TrainingData) -> None:
        """Take the network and the training data, whose labels become the classes."""
        super().__init__(alignment)
        self._classes = {label: index for index, label in enumerate(sorted(set(data.labels)))}
        self._marks: dict[str, Tensor] = {}
        self.onset = nn.Linear(self.settings.vama_dim, 1)
        self.kind = nn.Linear(self.settings.vama_dim, len(self._classes))

    def forward(self, draw: Draw, generator: torch.Generator) -> Losses:
        """Return ``loss`` and its parts."""
        n_tokens = self.n_tokens
        frames = draw.frames(self.n_frames).to(self.device)
        _, state, _ = self.alignment(frames, None, None, n_tokens)
        marks = self._onsets(draw, n_tokens).to(self.device)
        onset = F.binary_cross_entropy_with_logits(self.onset(state)[..., 0], marks)
        kind = F.cross_entropy(self.kind(state.mean(1)), self._wanted(draw).to(self.device))
        return {"loss": self.settings.onset_weight * onset + kind, "onset": onset, "class": kind}

    def _onsets(self, draw: Draw, n_tokens: int) -> Tensor:
        data, key = draw.data, str(draw.data.folder)
        if key not in self._marks:
            self._marks[key] = torch.cat([data.onset_tokens(index) for index in range(len(data))])
        first = data.token_offsets[draw.audio_of.numpy()] + draw.starts * data.settings.unit[1]
        return torch.stack([self._marks[key][at : at + n_tokens] for at in first.tolist()])

    def _wanted(self, draw: Draw) -> Tensor:
        labels = [draw.data.labels[int(index)] for index in draw.audio_of]
        strange = sorted(set(labels) - self._classes.keys())
        if strange:
            raise FoleyError(f"no training clip is of class {strange[0]!r}; onset_sup cannot be measured on it.")
        return torch.tensor([self._classes[label] for label in labels])
