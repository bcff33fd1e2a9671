"""Baseline: copies the audio of the nearest training clip.

No audio is synthesised, so realism is hard to exceed. Similarity is measured on the alignment stage's condition: clips
with the nearest mean are short-listed, and of these the one with the most similar course over time is copied.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from foleybench.api.model import BuildContext, Model, TrainContext
from foleybench.clips import AudioArray, Clip, Clock
from foleybench.errors import FoleyError
from foleybench.media.audio import fit_length, resample
from foleybench.runtime import distributed
from foleybench.shards.dataset import ShardDataset
from foleymodels._alignment.network import Alignment
from foleymodels._alignment.settings import StageOptions, StageSettings
from foleymodels._alignment.stage import FOLDER, alignment_of, fitting_alignment, record_of, trained_alignment
from foleymodels._flow.settings import FlowSettings
from foleymodels._parts import checkpoint
from foleymodels._training.decoded_data import video_input
from foleymodels._training.job import Job
from foleymodels._training.settings import resolve

KIND = "nearest"
_SHORT_LIST = 16
_N_BINS = 64
_N_DIRECTIONS = 8


@dataclasses.dataclass(frozen=True)
class ClipIndex:
    """The index of the training clips.

    Attributes:
        means: Mean condition, unit length, shape (n, condition_dim).
        courses: Course over time along a few fixed directions, unit length, shape (n, n_directions * n_bins).
        centre: Subtracted from conditions.
        spread: Divides them afterwards.
        directions: Shape (condition_dim, n_directions).
    """

    means: Tensor
    courses: Tensor
    centre: Tensor
    spread: Tensor
    directions: Tensor

    def describe(self, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and the course of a clip's condition (n_tokens, condition_dim)."""
        return _describe((condition - self.centre) / self.spread, self.directions)

    def nearest(self, condition: Tensor) -> int:
        """Return the training clip nearest to a condition (n_tokens, condition_dim)."""
        mean, course = self.describe(condition)
        likeness = self.means @ mean
        short_list = likeness.topk(min(_SHORT_LIST, len(likeness))).indices
        return int(short_list[(self.courses[short_list] @ course).argmax()])


def _describe(scaled: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    mean = F.normalize(scaled.mean(0), dim=0)
    course = F.adaptive_avg_pool1d((scaled @ directions).T[None], _N_BINS)[0]
    return mean, F.normalize((course - course.mean(1, keepdim=True)).flatten(), dim=0)


def train(context: TrainContext) -> Path:
    """Index the training set; trains an alignment stage unless one is given with ``--set alignment=DIR``."""
    settings, options = _resolved(context)
    checkpoint.refuse_another(options.alignment, context.out / FOLDER)
    job = Job.start(context, settings.loop, options, settings.cache)
    alignment = trained_alignment(job, settings, options.alignment).to(context.device)
    conditions = [alignment_condition(alignment, frames, n) for frames, n in job.data.videos()]
    everything = torch.cat(conditions)
    centre, spread = everything.mean(0), everything.std(0).clamp_min(1e-3)
    directions = _principal((everything - centre) / spread)
    described = [_describe((condition - centre) / spread, directions) for condition in conditions]
    means, courses = (torch.stack(parts) for parts in zip(*described, strict=True))
    index = ClipIndex(means, courses, centre, spread, directions)
    tensors = {f"index.{field.name}": getattr(index, field.name) for field in dataclasses.fields(ClipIndex)}
    tensors |= checkpoint.joined_weights({"alignment": alignment})
    config = {
        "alignment_settings": record_of(alignment),
        "manifest": str(context.data.resolve()),
        "manifest_sha256": ShardDataset(context.data).manifest.sha256,
        "clip_ids": list(job.data.clip_ids),
    }
    if distributed.first():
        checkpoint.write_checkpoint(context.out, KIND, tensors, config)
    return context.out


def check(context: TrainContext) -> None:
    """Refuse what ``train`` would refuse, of settings and of an alignment stage that is there.

    Raises:
        FoleyError: As ``train`` does.
    """
    settings, options = _resolved(context)
    there = checkpoint.part_there(options.alignment, context.out / FOLDER)
    if there:
        fitting_alignment(settings, there)


def _resolved(context: TrainContext) -> tuple[StageSettings, StageOptions]:
    return resolve(StageSettings, StageOptions, context, main_steps=lambda _: _size_steps(context.size))


def _size_steps(size: str) -> int:
    """Return the steps that ``--steps`` is a share of: a size's flow steps, as for the models it is compared with."""
    return FlowSettings.sizes()[size].flow_steps


def _principal(scaled: Tensor) -> Tensor:
    """Return the directions of largest variance, signs fixed so that the largest entry is positive."""
    covariance = scaled.double().T @ scaled.double() / len(scaled)
    directions: Tensor = torch.linalg.eigh(covariance).eigenvectors[:, -_N_DIRECTIONS:]
    signs = directions.gather(0, directions.abs().argmax(0, keepdim=True)).sign()
    return (directions * signs).float()


@torch.inference_mode()
def alignment_condition(alignment: Alignment, frames: Tensor, n_tokens: int) -> Tensor:
    """Return the condition of one clip, computed where the network is, on the CPU; shape (n_tokens, condition_dim)."""
    device = next(alignment.parameters()).device
    condition: Tensor = alignment.condition(frames[None].to(device), n_tokens)[0]
    return condition.cpu().clone()


class NearestGenerator:
    """Copies the audio of training clips."""

    nfe = 0
    guidance: float | None = None

    def __init__(self, index: ClipIndex, alignment: Alignment, data: ShardDataset, clip_ids: Sequence[str]) -> None:
        self._index, self._alignment, self._data, self._clip_ids = index, alignment, data, clip_ids
        self._signal, self._input = alignment.signal, alignment.settings.cache(alignment.signal)
        self.rate_hz, self._device = alignment.signal.rate_hz, str(next(alignment.parameters()).device)
        self.n_parameters = sum(value.numel() for value in alignment.parameters())

    def generate(self, clips: Sequence[Clip], rng: np.random.Generator) -> list[AudioArray]:
        """Return, for each clip, the audio of the training clip nearest to it."""
        return [self._one(clip) for clip in clips]

    def _one(self, clip: Clip) -> AudioArray:
        n_samples = Clock(clip.duration_s).samples(self.rate_hz)
        frames = torch.from_numpy(video_input(clip, self._input, self._device))
        condition = alignment_condition(self._alignment, frames, self._signal.mel.n_tokens(n_samples))
        found = self._data.load(self._clip_ids[self._index.nearest(condition)], video=False)
        if found.audio is None:
            raise FoleyError(f"training clip {found.clip_id} has lost its audio. Train `nearest` again.")
        return fit_length(resample(found.audio, found.rate_hz, self.rate_hz), n_samples)


def build(context: BuildContext) -> NearestGenerator:
    """Read an index.

    Raises:
        FoleyError: No checkpoint, or the training data is no longer what was indexed.
    """
    if context.checkpoint is None:
        raise FoleyError("`nearest` needs its index: name its run folder with --checkpoint, or train it first.")
    tensors, config = checkpoint.read_checkpoint(context.checkpoint, KIND)
    data = ShardDataset(Path(config["manifest"]))
    if data.manifest.sha256 != config["manifest_sha256"]:
        raise FoleyError(f"{config['manifest']} has changed since `nearest` was trained on it. Train it again.")
    weights = checkpoint.below(tensors, "alignment")
    alignment = alignment_of(weights, config["alignment_settings"], context.checkpoint).to(context.device)
    index = ClipIndex(**checkpoint.below(tensors, "index"))
    return NearestGenerator(index, alignment, data, config["clip_ids"])


MODEL = Model(
    title="Nearest training clip",
    kind="baseline",
    sees=frozenset({"video"}),
    licence="MIT",
    description="Copies the audio of the training clip nearest in video features.",
    build=build,
    train=train,
    check=check,
)
