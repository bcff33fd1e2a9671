"""Map a video vector to a sound vector: prior or regression.

The prior is that of Ramesh et al. 2022 (section 2.2), which V2A-Mapper takes: a transformer of four tokens (video,
time, noisy vector, a query) whose query becomes the estimate of the clean vector, on a cosine schedule.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleymodels._diffusion.process import Process
from foleymodels._diffusion.samplers import denoise
from foleymodels._parts.blocks import Attention, rotary_table, time_embedding
from foleymodels._systems.features import FeatureScale
from foleymodels.v2a_mapper.settings import MapperSettings

_N_TOKENS = 4


class PriorBlock(nn.Module):
    """Four tokens attend to each other, then a feed-forward part."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(dim), nn.LayerNorm(dim)])
        self.attention = Attention(dim, heads)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.SiLU(), nn.Linear(4 * dim, dim))

    def forward(self, x: Tensor, table: Tensor) -> Tensor:
        """Apply to (batch, 4, dim)."""
        x = x + self.attention(self.norms[0](x), table)
        out: Tensor = x + self.mlp(self.norms[1](x))
        return out


class Mapper(nn.Module):
    """From mean video vectors to unit vectors of sound.

    Attributes:
        settings: Settings of the mapper.
        vector_dim: Width of a vector of sound.
        scale: Standardises video vectors.
    """

    def __init__(self, settings: MapperSettings, video_dim: int, vector_dim: int) -> None:
        super().__init__()
        self.settings, self.vector_dim = settings, vector_dim
        self.scale = FeatureScale(video_dim)

    @property
    def nfe(self) -> int:
        """Evaluations of the network for a clip."""
        raise NotImplementedError

    def loss(self, video: Tensor, sound: Tensor, generator: torch.Generator) -> Tensor:
        """Return the loss of a batch.

        Args:
            video: Mean video vectors, shape (batch, video_dim).
            sound: Unit vectors of the clips' audio, shape (batch, vector_dim).
            generator: Source of randomness.
        """
        raise NotImplementedError

    def draw(self, video: Tensor, noise: Tensor) -> Tensor:
        """Return unit vectors of sound, shape (batch, vector_dim).

        Args:
            video: Mean video vectors, shape (batch, video_dim).
            noise: Standard normal, shape (batch, vector_dim); a regression does not use it.
        """
        raise NotImplementedError

    def unit_variance(self, sound: Tensor) -> Tensor:
        """Return unit vectors at about unit variance a number, which a diffusion wants."""
        return sound * math.sqrt(self.vector_dim)


class Regression(Mapper):
    """A mapper that says one vector for a video: the expected one, whose sounds may lie between."""

    def __init__(self, settings: MapperSettings, video_dim: int, vector_dim: int) -> None:
        super().__init__(settings, video_dim, vector_dim)
        dim = 2 * settings.mapper_dim
        layers: list[nn.Module] = [nn.Linear(video_dim, dim), nn.SiLU()]
        for _ in range(settings.mapper_blocks):
            layers += [nn.Linear(dim, dim), nn.SiLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(dim, vector_dim))

    @property
    def nfe(self) -> int:
        """One."""
        return 1

    def loss(self, video: Tensor, sound: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean squared error of the vectors at unit variance."""
        found: Tensor = self.layers(self.scale(video))
        return (found - self.unit_variance(sound)).square().mean()

    def draw(self, video: Tensor, noise: Tensor) -> Tensor:
        """Return the vectors; there is nothing random in them."""
        return F.normalize(self.layers(self.scale(video)), dim=-1)


class Prior(Mapper):
    """A mapper that draws one of the vectors that go with a video."""

    def __init__(self, settings: MapperSettings, video_dim: int, vector_dim: int) -> None:
        super().__init__(settings, video_dim, vector_dim)
        dim = settings.mapper_dim
        self._process = Process.of("cosine", "data")
        self.see = nn.Linear(video_dim, dim)
        self.time = nn.Linear(dim, dim)
        self.enter = nn.Linear(vector_dim, dim)
        self.query = nn.Parameter(torch.zeros(dim))
        self.places = nn.Parameter(torch.randn(_N_TOKENS, dim) / math.sqrt(dim))
        self.blocks = nn.ModuleList([PriorBlock(dim, settings.mapper_heads) for _ in range(settings.mapper_blocks)])
        self.norm = nn.LayerNorm(dim)
        self.leave = nn.Linear(dim, vector_dim)

    @property
    def nfe(self) -> int:
        """Steps of its sampler."""
        return self.settings.mapper_nfe

    def forward(self, x: Tensor, t: Tensor, video: Tensor) -> Tensor:
        """Return the estimate of clean vectors from noisy ones (batch, vector_dim), times (batch,) and videos."""
        dim = self.settings.mapper_dim
        told = self.see(self.scale(video)), self.time(time_embedding(t, dim)), self.enter(x)
        tokens = torch.stack([*told, self.query.expand(len(x), -1)], dim=1) + self.places
        table = rotary_table(torch.zeros(_N_TOKENS), dim // self.settings.mapper_heads)  # places are learned instead
        for block in self.blocks:
            tokens = block(tokens, table)
        out: Tensor = self.leave(self.norm(tokens[:, -1]))
        return out

    def loss(self, video: Tensor, sound: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean squared error of the estimate at random times."""
        return self._process.loss(lambda x, t: self(x, t, video), self.unit_variance(sound), generator)

    def draw(self, video: Tensor, noise: Tensor) -> Tensor:
        """Return vectors drawn by DDIM from noise."""
        found = denoise(self._process, lambda x, t: self(x, t, video), noise, nfe=self.nfe, method="ddim")
        return F.normalize(found, dim=-1)


def new_mapper(settings: MapperSettings, video_dim: int, vector_dim: int) -> Mapper:
    """Return an untrained mapper of the kind that the settings name."""
    return (Prior if settings.mapper == "prior" else Regression)(settings, video_dim, vector_dim)
