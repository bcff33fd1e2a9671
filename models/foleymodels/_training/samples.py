"""Write audio samples of a few clips during training."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from foleybench.api.model import Generator, clip_rng, rate_of
from foleybench.clips import AudioArray, Clip, FloatArray
from foleybench.files import write_atomically
from foleybench.media.audio import resample, write_wav
from foleymodels._parts.mel import Mel, MelSettings

GeneratorOf = Callable[[dict[str, Tensor]], Generator]
Network = TypeVar("Network", bound=nn.Module)

N_CLIPS = 4


class SampleWriter:
    """Writes ``step-N/CLIP.wav`` and ``step-N/CLIP.png``, without using training's random generators."""

    def __init__(self, manifest: Path, folder: Path, generator_of: GeneratorOf, mel: MelSettings, *, seed: int) -> None:
        """Choose clips, evenly spread over a split.

        Args:
            manifest: Manifest of the split.
            folder: Folder of the samples.
            generator_of: Makes a generator of averaged weights.
            mel: The mel transform of the plots.
            seed: Seed of the starting noise; each clip has its own noise, the same at every step.
        """
        from foleybench.shards.dataset import ShardDataset  # decodes video, which training itself does not need

        self._data = ShardDataset(manifest)
        ids = self._data.clip_ids
        self._clip_ids = [ids[i * len(ids) // N_CLIPS] for i in range(N_CLIPS)] if len(ids) > N_CLIPS else list(ids)
        self._folder, self._generator_of, self._mel, self._seed = folder, generator_of, Mel(mel), seed

    def __call__(self, step: int, weights: dict[str, Tensor]) -> None:
        """Make the samples of a step.

        Args:
            step: Number of steps taken.
            weights: The averaged weights of the trained module.
        """
        generator = self._generator_of(weights)
        folder = self._folder / f"step-{step}"
        for clip_id in self._clip_ids:
            clip = self._data.load(clip_id)
            (audio,) = generator.generate([clip], clip_rng(self._seed, clip_id))
            write_wav(folder / f"{clip_id}.wav", audio, rate_of(generator, clip))
            _draw(clip, audio, self._mel, folder / f"{clip_id}.png", f"{clip_id}, step {step}")


def averaged(module: Network, weights: dict[str, Tensor]) -> Network:
    """Return a copy of a network with other weights, for use and not for training."""
    twin = copy.deepcopy(module)
    twin.load_state_dict(weights)
    return twin.eval().requires_grad_(False)


def _draw(clip: Clip, made: AudioArray, mel: Mel, path: Path, title: str) -> None:
    """Plot generated and real audio above the change of the frames; events are vertical lines."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    above, middle, below = figure.subplots(3, sharex=True, height_ratios=[3, 3, 1])
    rate_hz = mel.settings.rate_hz
    real = None if clip.audio is None else resample(clip.audio, clip.rate_hz, rate_hz)
    for axes, audio, name in ((above, made, "generated"), (middle, real, "real")):
        if audio is not None:
            levels = mel.tokens(torch.from_numpy(audio)[None])[0].reshape(-1, mel.settings.n_mels).T.numpy()
            extent = (0.0, len(audio) / rate_hz, 0.0, float(len(levels)))
            axes.imshow(levels, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=-3.0, vmax=3.0)
        axes.set(ylabel=f"{name}: band")
    if clip.frames is not None:
        below.plot(clip.frame_times_s, _changes(clip), linewidth=1)
    below.set(xlabel="seconds", ylabel="change of\nframes", xlim=(0.0, clip.duration_s))
    for axes in (above, middle, below):
        for time_s in clip.onset_times_s():
            axes.axvline(float(time_s), color="C2", linewidth=0.8, alpha=0.8)
    figure.suptitle(title)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())


def _changes(clip: Clip) -> FloatArray:
    """Return the mean absolute change of every frame from the one before, shape (T,), 0 at the first."""
    assert clip.frames is not None
    frames = clip.frames[:, ::4, ::4].astype(np.float64)
    return np.concatenate([[0.0], np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))])
