"""Fit the ridges and find the grains.

Fitting takes minutes on one core, without a network. Class names of training clips and onsets found in training audio
are used, and no part of any evaluator.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from foleybench.api.model import TrainContext
from foleybench.clips import FloatArray
from foleybench.errors import FoleyError
from foleybench.runtime import distributed
from foleybench.shards.dataset import ShardDataset
from foleymodels._parts.onsets import f_score, find_onsets
from foleymodels._parts.ridge import Ridge, fit_ridge
from foleymodels._parts.training_audio import load_audio
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.job import Job
from foleymodels._training.settings import RunOptions, resolve
from foleymodels.pasted_grains.features import clip_features, frame_features
from foleymodels.pasted_grains.level import log_level
from foleymodels.pasted_grains.model import ClassModel, Grains, write_grains
from foleymodels.pasted_grains.score_peaks import onset_targets, peaks
from foleymodels.pasted_grains.settings import GrainSettings, RidgeSettings

TOLERANCE_S = 0.025
_THRESHOLDS = np.arange(0.08, 0.6, 0.04)
_SHIFTS_S = (-0.02, -0.01, 0.0, 0.01, 0.02, 0.03, 0.05, 0.07)


@dataclasses.dataclass(frozen=True)
class _Heard:
    """The clips of a split with the onsets and levels of their audio."""

    data: TrainingData
    sounds: ShardDataset
    rate_hz: int
    onsets_s: tuple[FloatArray, ...]

    @classmethod
    def of(cls, data: TrainingData, manifest: Path, rate_hz: int) -> _Heard:
        sounds = ShardDataset(manifest)
        names = tqdm(data.clip_ids, desc="listen", unit="clip", disable=None)
        onsets_s = tuple(find_onsets(load_audio(sounds, name, rate_hz), rate_hz) for name in names)
        return cls(data, sounds, rate_hz, onsets_s)

    def own(self, label: str) -> list[int]:
        return [k for k, name in enumerate(self.data.labels) if name == label]


def train(context: TrainContext) -> Path:
    """Fit all ridges and write the checkpoint.

    Raises:
        FoleyError: The training clips have no class names.
    """
    settings, options = resolve(GrainSettings, RunOptions, context, main_steps=lambda _: 1)
    job = Job.start(context, settings.loop, options, settings.cache())
    if not all(job.data.labels):
        raise FoleyError(f"{context.data} has clips without a class; pasted_grains needs class names.")
    rate_hz, grid_hz = settings.signal.rate_hz, settings.signal.grid_hz
    heard = _Heard.of(job.data, context.data, rate_hz)
    tried = heard if context.val is None else _Heard.of(job.val, context.val, rate_hz)
    names = tuple(sorted(set(job.data.labels)))
    described = torch.stack([clip_features(maps) for maps, _ in job.data.videos()])
    wanted = torch.tensor([[float(label == name) for name in names] for label in job.data.labels])
    grains = Grains(
        names=names,
        classes=tuple(
            _class_model(heard, tried, name, settings.ridges, grid_hz)
            for name in tqdm(names, desc="fit", unit="class", disable=None)
        ),
        look=fit_ridge([(described, wanted)], settings.ridges.class_penalty),
        looks=(described - described.mean(0)) / described.std(0).clamp_min(1e-3),
        look_centre=described.mean(0),
        look_spread=described.std(0).clamp_min(1e-3),
        clip_ids=job.data.clip_ids,
        labels=job.data.labels,
        onsets_s=tuple(tuple(round(float(t), 5) for t in times) for times in heard.onsets_s),
        manifest=context.data.resolve(),
        manifest_sha256=heard.sounds.manifest.sha256,
    )
    if distributed.first():
        write_grains(context.out, grains, {"settings": dataclasses.asdict(settings)})
    return context.out


def _class_model(heard: _Heard, tried: _Heard, name: str, ridges: RidgeSettings, grid_hz: float) -> ClassModel:
    """Fit onsets, or levels where onsets cannot be predicted (a texture, or hard to see)."""
    ridge = fit_ridge(_onset_parts(heard, name, grid_hz), ridges.time_penalty)
    best, threshold, shift_s = _tuned(ridge, tried, name, grid_hz)
    if best >= ridges.least_f1:
        return ClassModel(ridge, onsets=True, threshold=threshold, shift_s=shift_s)
    return ClassModel(
        fit_ridge(_level_parts(heard, name), ridges.time_penalty), onsets=False, threshold=0.0, shift_s=0.0
    )


def _onset_parts(heard: _Heard, name: str, grid_hz: float) -> Iterator[tuple[Tensor, Tensor]]:
    for k in heard.own(name):
        rows = frame_features(heard.data.video(k)[0])
        yield rows, onset_targets(heard.onsets_s[k], len(rows), grid_hz)


def _level_parts(heard: _Heard, name: str) -> Iterator[tuple[Tensor, Tensor]]:
    for k in heard.own(name):
        rows = frame_features(heard.data.video(k)[0])
        level = log_level(load_audio(heard.sounds, heard.data.clip_ids[k], heard.rate_hz), len(rows))
        yield rows, torch.from_numpy(level).float()[:, None]


def _tuned(ridge: Ridge, tried: _Heard, name: str, grid_hz: float) -> tuple[float, float, float]:
    """Return the best F1 at 25 ms on the clips of a class, with its threshold and shift."""
    own = tried.own(name)
    scores = [ridge(frame_features(tried.data.video(k)[0]))[:, 0] for k in own]
    wanted = [tried.onsets_s[k] for k in own]
    best = (0.0, float(_THRESHOLDS[0]), 0.0)
    for threshold in _THRESHOLDS:
        found = [peaks(score, float(threshold), grid_hz) for score in scores]
        for shift_s in _SHIFTS_S:
            value = f_score([times + shift_s for times in found], wanted, TOLERANCE_S)
            best = max(best, (value if np.isfinite(value) else 0.0, float(threshold), shift_s))
    return best
