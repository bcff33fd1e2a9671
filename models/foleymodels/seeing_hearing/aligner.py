"""Define and train the audio-visual aligner: short crops on a sphere.

It stands for ImageBind where Seeing and Hearing has it. Crops of different clips are contrasted, as there; two crops of
one clip never are. It also tells the caption whose training clips look most alike, which stands for the captions of a
language model that the paper prompts its generator with. No metric uses it.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleymodels._parts.contrast import LOG_SCALE, info_nce, scale_of
from foleymodels._sound_text.network import VectorTower
from foleymodels._sound_text.text import packed_texts, unpacked_texts
from foleymodels._systems.features import FeatureScale, alignment_in, frame_conditions
from foleymodels._systems.parts import Parts, SystemRun, own_part
from foleymodels._training.conditions import Conditions
from foleymodels._training.data_parallel import share
from foleymodels._training.loop import Losses, n_parameters, write_metrics
from foleymodels.seeing_hearing.settings import AlignerPartSettings, AlignerSettings

FOLDER = "aligner"
_LONGEST_CAPTION = 128


class CropCover(NamedTuple):
    """Crops that cover a sequence evenly, all of one length.

    Attributes:
        length: Tokens in a crop.
        starts: First token of each crop.
    """

    length: int
    starts: tuple[int, ...]

    @classmethod
    def cover(cls, n: int, length: int) -> CropCover:
        """Cover ``n`` tokens with as few crops of ``length`` as can, or one shorter crop.

        Example:
            >>> CropCover.cover(10, 4), CropCover.cover(3, 4)
            (CropCover(length=4, starts=(0, 3, 6)), CropCover(length=3, starts=(0,)))
        """
        length = min(n, length)
        n_crops = -(-n // length)
        last = n - length
        return cls(length, tuple(round(index * last / max(1, n_crops - 1)) for index in range(n_crops)))

    def cut(self, x: Tensor) -> Tensor:
        """Cut (batch, n, dim) into crops, shape (batch, n_crops, length, dim)."""
        return torch.stack([x[:, start : start + self.length] for start in self.starts], dim=1)


class Aligner(nn.Module):
    """Crops of video and audio as unit vectors of one space.

    Attributes:
        settings: Its settings.
        scale: Standardises frame features.
        captions: Captions as bytes, shape (captions_most, 128) uint8.
        looks: Mean video vector of the training clips of each caption, shape (captions_most, vector_dim).
    """

    captions: Tensor
    looks: Tensor

    def __init__(self, settings: AlignerSettings, video_dim: int, token_dim: int) -> None:
        super().__init__()
        self.settings = settings
        dim, vector_dim = settings.aligner_dim, settings.aligner_vector_dim
        self.scale = FeatureScale(video_dim)
        self.enter = nn.Sequential(nn.Linear(video_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.leave = nn.Linear(2 * dim, vector_dim)
        self.tower = VectorTower(token_dim, dim, vector_dim)
        self.log_scale = nn.Parameter(torch.tensor(LOG_SCALE))
        self.register_buffer("captions", torch.zeros(settings.captions_most, _LONGEST_CAPTION, dtype=torch.uint8))
        self.register_buffer("looks", torch.zeros(settings.captions_most, vector_dim))

    def see(self, features: Tensor) -> Tensor:
        """Return the unit vectors of video crops, shape (batch, vector_dim), of features (batch, n, video_dim)."""
        states = self.enter(self.scale(features))
        return F.normalize(self.leave(torch.cat([states.mean(1), states.amax(1)], dim=-1)), dim=-1)

    def hear(self, tokens: Tensor) -> Tensor:
        """Return the unit vectors of audio crops, shape (batch, vector_dim), of mel tokens (batch, n, token_dim)."""
        out: Tensor = self.tower(tokens)
        return out

    def see_crops(self, features: Tensor, crops: CropCover) -> Tensor:
        """Return the vectors of a clip's crops, shape (batch, n_crops, vector_dim), of (batch, n, video_dim)."""
        cut = crops.cut(features)
        return self.see(cut.flatten(0, 1)).reshape(*cut.shape[:2], -1)

    def likeness(self, tokens: Tensor, seen: Tensor, crops: CropCover) -> Tensor:
        """Return how alike audio and video are: the mean cosine over crops, shape (batch,).

        Args:
            tokens: Mel tokens, shape (batch, n, token_dim).
            seen: From ``see_crops``.
            crops: The crops.
        """
        cut = crops.cut(tokens)
        heard = self.hear(cut.flatten(0, 1)).reshape(seen.shape)
        return (heard * seen).sum(-1).mean(1)

    def tell(self, seen: Tensor) -> list[str]:
        """Return the caption nearest to each clip's mean video vector, from ``see_crops``."""
        known = [caption for caption in unpacked_texts(self.captions) if caption]
        if not known:
            return [""] * len(seen)
        likeness = F.normalize(seen.mean(1), dim=-1) @ self.looks[: len(known)].T
        return [known[int(index)] for index in likeness.argmax(1)]

    @torch.no_grad()
    def learn_captions(self, looks: Tensor, captions: tuple[str, ...]) -> None:
        """Take the mean look of every caption.

        Args:
            looks: Mean video vector of every training clip, shape (n_clips, vector_dim).
            captions: Of the clips, "" where there is none.
        """
        most = Counter(caption for caption in captions if caption).most_common(len(self.looks))
        names = sorted(caption for caption, _ in most)
        self.captions.copy_(packed_texts(names, *self.captions.shape))
        for row, name in enumerate(names):
            chosen = [index for index, caption in enumerate(captions) if caption == name]
            self.looks[row] = F.normalize(F.normalize(looks[chosen], dim=-1).mean(0), dim=0)


def aligner_in(parts: Parts) -> Aligner:
    """Return the aligner among trained parts."""
    aligner = parts[FOLDER]
    assert isinstance(aligner, Aligner)
    return aligner


def _new(settings: AlignerPartSettings, parts: Parts) -> Aligner:
    return Aligner(settings.aligner, alignment_in(parts).condition_dim, settings.signal.mel.token_dim)


def _train(run: SystemRun, network: nn.Module) -> None:
    assert isinstance(network, Aligner)
    job, settings, conditions = run.job, run.settings.aligner, frame_conditions(run)
    device, n_tokens = network.log_scale.device, run.settings.signal.tokens(settings.aligner_crop_s)
    network.scale.measure(conditions.sample().to(device))

    def losses(step: int, generator: torch.Generator) -> Losses:
        indices, starts = job.draw_crops(settings.aligner_batch, n_tokens, step, generator)
        seen = network.see(conditions.crop(indices, starts, n_tokens, device))
        heard = network.hear(job.data.crop_tokens(indices, starts, n_tokens, device))
        both = share().gathered(seen), share().gathered(heard)  # contrasted with the crops of all processes
        return {"loss": info_nce(*both, scale_of(network.log_scale))}

    facts = job.fit(
        network, losses, FOLDER, steps=settings.aligner_steps, rate=settings.aligner_rate, ema=settings.aligner_ema,
        name="audio-visual aligner",
    )  # fmt: skip
    network.learn_captions(_looks(network, conditions, run), job.data.labels)
    write_metrics(job.context.out, {FOLDER: {**facts, "parameters": n_parameters(network)}})


@torch.no_grad()
def _looks(network: Aligner, conditions: Conditions, run: SystemRun) -> Tensor:
    """Return the mean video vector of every training clip, shape (n_clips, vector_dim)."""
    offsets, found = run.job.data.token_offsets, []
    length = run.settings.signal.tokens(network.settings.aligner_crop_s)
    for index in range(len(run.job.data)):
        features = conditions.values[offsets[index] : offsets[index + 1]].float()[None].to(network.looks.device)
        found.append(network.see_crops(features, CropCover.cover(features.shape[1], length))[0].mean(0))
    return torch.stack(found)


ALIGNER = own_part(FOLDER, AlignerPartSettings, _new, _train)
