"""Paste grains at predicted onsets, or shape a texture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from foleybench.api.model import BuildContext
from foleybench.clips import AudioArray, Clip, Clock, FloatArray
from foleybench.errors import FoleyError
from foleybench.shards.dataset import ShardDataset
from foleymodels._parts.settings import read_settings
from foleymodels._parts.training_audio import load_audio
from foleymodels._training.decoded_data import video_input
from foleymodels.pasted_grains.features import clip_features, frame_features
from foleymodels.pasted_grains.level import QUIETEST, shaped
from foleymodels.pasted_grains.model import Grains, read_grains
from foleymodels.pasted_grains.score_peaks import peaks
from foleymodels.pasted_grains.settings import GrainSettings

_BEFORE_S = 0.004
_LONGEST_S = 1.5
_SHORTEST_S = 0.06
_FADE_S = 0.05


class GrainsGenerator:
    """Copies pieces of training audio."""

    nfe = 0
    guidance: float | None = None

    def __init__(self, grains: Grains, settings: GrainSettings, sounds: ShardDataset) -> None:
        self._grains, self._sounds = grains, sounds
        self._input, self._grid_hz = settings.cache(), settings.signal.grid_hz
        self.rate_hz = settings.signal.rate_hz
        self.n_parameters = sum(ridge.weights.numel() for ridge in [grains.look, *(c.ridge for c in grains.classes)])

    def generate(self, clips: Sequence[Clip], rng: np.random.Generator) -> list[AudioArray]:
        """Return, for each clip, training audio pasted or shaped to fit it."""
        return [self._one(clip, rng) for clip in clips]

    @torch.inference_mode()
    def _one(self, clip: Clip, rng: np.random.Generator) -> AudioArray:
        n_samples = Clock(clip.duration_s).samples(self.rate_hz)
        maps = torch.from_numpy(video_input(clip, self._input))
        described = clip_features(maps)
        number = self._grains.guess(described)
        donors = self._grains.donors(number, described)
        known = self._grains.classes[number]
        score = known.ridge(frame_features(maps))[:, 0]
        if not known.onsets:
            return shaped(self._load(donors[0]), score.clamp(QUIETEST, 0.0).double().numpy(), n_samples)
        times = peaks(score, known.threshold, self._grid_hz)
        if len(times) == 0:
            times = np.asarray([(int(score.argmax()) + 0.5) / self._grid_hz])
        donor = next((k for k in donors if self._grains.onsets_s[k]), donors[0])
        onsets_s = np.asarray(self._grains.onsets_s[donor] or (0.0,))
        return pasted(self._load(donor), onsets_s, times + known.shift_s, n_samples, self.rate_hz, rng)

    def _load(self, number: int) -> AudioArray:
        return load_audio(self._sounds, self._grains.clip_ids[number], self.rate_hz)


def pasted(
    donor: AudioArray,
    donor_onsets_s: FloatArray,
    times_s: FloatArray,
    n_samples: int,
    rate_hz: int,
    rng: np.random.Generator,
) -> AudioArray:
    """Return grains of audio pasted at some times.

    A grain reaches from just before an onset to just before the next; the longer half of them is used, at random.

    Args:
        donor: Audio that grains come from.
        donor_onsets_s: Onsets of the donor, increasing, at least one.
        times_s: Starts of the grains.
        n_samples: Length of the result.
        rate_hz: Sample rate of both.
        rng: Chooses the grains.
    """
    ends = np.append(donor_onsets_s[1:], len(donor) / rate_hz)
    length_s = np.minimum(ends - donor_onsets_s, _LONGEST_S)
    usable = np.argsort(-length_s, kind="stable")[: max(1, (len(length_s) + 1) // 2)]
    out = np.zeros(n_samples, dtype=np.float32)
    for time_s in times_s:
        chosen = int(rng.choice(usable))
        first = round(max(0.0, donor_onsets_s[chosen] - _BEFORE_S) * rate_hz)
        grain = donor[first : first + round(max(_SHORTEST_S, length_s[chosen] - 3 * _BEFORE_S) * rate_hz)].copy()
        fade = min(len(grain) // 3, round(_FADE_S * rate_hz))
        grain[len(grain) - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
        at = round(max(0.0, time_s - _BEFORE_S) * rate_hz)
        room = max(0, n_samples - at)
        out[at : at + len(grain)] += grain[:room]
    return np.clip(out, -1.0, 1.0)


def build(context: BuildContext) -> GrainsGenerator:
    """Read the fitted baseline.

    Raises:
        FoleyError: No checkpoint, or the training data has changed since fitting.
    """
    if context.checkpoint is None:
        raise FoleyError("`pasted_grains` needs its grains: name its run folder with --checkpoint, or train it first.")
    grains, config = read_grains(context.checkpoint)
    sounds = ShardDataset(grains.manifest)
    if sounds.manifest.sha256 != grains.manifest_sha256:
        raise FoleyError(f"{grains.manifest} has changed since `pasted_grains` was trained on it. Train it again.")
    return GrainsGenerator(grains, read_settings(GrainSettings, config["settings"], context.checkpoint), sounds)
