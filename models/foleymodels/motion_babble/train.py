"""Mix the training clips, and fit how the level follows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from foleybench.api.model import TrainContext
from foleybench.clips import AudioArray
from foleybench.shards.dataset import ShardDataset
from foleymodels._babble.mixture import at_level, mix, spread_over
from foleymodels._babble.settings import babble_settings
from foleymodels._training.job import is_finished, save_checkpoint
from foleymodels.motion_babble.fit import Watched, fit_following, fit_loudness

KIND = "motion_babble"
# The mixture's own level changes no slower than this, so that no onset is heard but those of the motion.
_EVEN_S = 0.025
_SILENT_SHARE = 1e-3


def train(context: TrainContext) -> Path:
    """Make the checkpoint: the evened mixture and four numbers, in less than a minute; the seed draws the clips."""
    settings = babble_settings(context)
    if is_finished(context, KIND, settings):
        return context.out
    data, rate_hz = ShardDataset(context.data), settings.signal.rate_hz
    mixture = mix(data, settings.mixture, rate_hz, context.seed)
    places = spread_over(len(data), settings.mixture.n_measured, context.seed)
    shown = tqdm(places, desc="watch", unit="clip", disable=None)
    watched = [Watched.of(data.load(data.clip_ids[place]), rate_hz) for place in shown]
    following = fit_following(watched)
    audio = at_level(evened(mixture.audio, rate_hz), fit_loudness(watched, following))
    facts = {"clip_ids": list(mixture.clip_ids), "following": dataclasses.asdict(following)}
    save_checkpoint(context.out, KIND, settings, {"audio": torch.from_numpy(audio)}, context, KIND, **facts)
    return context.out


def evened(audio: AudioArray, rate_hz: int) -> AudioArray:
    """Return audio over its root mean square in the 25 ms around each sample, so that its level has no course left.

    Args:
        audio: Shape (N,), root mean square 1.
        rate_hz: Its rate.
    """
    half = max(1, round(_EVEN_S * rate_hz / 2))
    power = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
    here = np.arange(len(audio))
    first, last = np.maximum(0, here - half), np.minimum(len(audio), here + half + 1)
    around = np.sqrt(np.maximum(power[last] - power[first], 0.0) / (last - first))
    return np.asarray(audio / np.maximum(around, _SILENT_SHARE), dtype=np.float32)
