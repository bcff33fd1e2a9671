"""Are there seams where the windows of a long clip meet? Generated audio at their borders against the rest of the clip.

A trained model makes audio for clips longer than its window. At every border of a window three things are measured:
the change of the log-mel spectrum from one frame to the next (dB), the level (dB), and detected onsets a second within
50 ms; each is compared with the same clip away from borders, and that with what the clip's real audio has at the same
places, which knows nothing of windows. The control is a real seam: two takes cut together there. Intervals are over
clips (bootstrap, 95 %).

    python benchmarks/seams.py --checkpoint runs/foleyflow --data shards/heldout_long.manifest.jsonl
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
import torch

from foleybench.clips import AudioArray, FloatArray
from foleybench.encoders.onsets import RATE_HZ, detect
from foleybench.generation.folder import GenerationSettings, build_generator, generate_one
from foleybench.media.audio import resample
from foleybench.shards.dataset import ShardDataset
from foleymodels._parts.mel import Mel, MelSettings
from foleymodels._parts.windows import Windows
from foleymodels.controls._change import own_audio
from foleymodels.foleyflow.checkpoints import load_foleyflow

NEAR_S = 0.05
NAMES = ("change (dB)", "level (dB)", "onsets a second")


def main() -> None:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="a trained foleyflow")
    parser.add_argument("--data", type=Path, required=True, help="manifest of clips longer than its window")
    parser.add_argument("--limit", type=int, help="only the first clips")
    parser.add_argument("--nfe", type=int, help="network evaluations (default: the model's own)")
    args = parser.parse_args()
    data = ShardDataset(args.data)
    signal = load_foleyflow(args.checkpoint).settings.signal
    mel = signal.mel
    model, generator = build_generator(
        GenerationSettings(model="foleyflow", checkpoint=args.checkpoint, nfe=args.nfe), data
    )
    rows: dict[str, list[FloatArray]] = {"real audio": [], "as generated": [], "control: two takes cut together": []}
    n_borders = 0
    for clip_id in data.clip_ids[: args.limit]:
        clip = data.load(clip_id)
        truth = own_audio(clip, mel.rate_hz)
        takes = [generate_one(model, generator, clip, seed) for seed in (0, 1)]
        windows = Windows.cover(mel.n_tokens(len(takes[0])), signal.n_tokens)
        ends = [start + windows.length for start in windows.starts]
        borders = np.array(sorted({*windows.starts[1:], *ends[:-1]})) / mel.token_hz
        n_borders += len(borders)
        sounds = (truth, takes[0], cut_together(takes, borders, mel.rate_hz))
        for name, sound in zip(rows, sounds, strict=True):
            rows[name].append(statistics(sound, borders, mel))
    print(f"{len(rows['as generated'])} clips, {n_borders} borders of windows\n")
    print("| audio | measured | at borders | elsewhere | difference [95 %] | less that of the real audio [95 %] |")
    print("|---|---|---:|---:|---:|---:|")
    truth_gaps = gaps_of(rows["real audio"])
    for name, values in rows.items():
        gaps, means = gaps_of(values), np.stack(values).mean(0)
        for k, measured in enumerate(NAMES):
            here = f"{means[k, 0]:.3f} | {means[k, 1]:.3f} | {interval(gaps[:, k])}"
            print(f"| {name} | {measured} | {here} | {interval(gaps[:, k] - truth_gaps[:, k])} |")


def cut_together(takes: list[AudioArray], borders_s: FloatArray, rate_hz: int) -> AudioArray:
    """Return one take and the other in turn, changing at every border."""
    cuts = [0, *(round(at * rate_hz) for at in borders_s), len(takes[0])]
    return np.concatenate([takes[turn % 2][a:b] for turn, (a, b) in enumerate(itertools.pairwise(cuts))])


def statistics(audio: AudioArray, borders_s: FloatArray, mel: MelSettings) -> FloatArray:
    """Return change, level and onsets a second, each at borders and elsewhere, shape (3, 2)."""
    tokens = Mel(mel).tokens(torch.from_numpy(audio)[None])[0].reshape(-1, mel.n_mels).numpy()
    levels = 20.0 * (tokens.astype(np.float64) * mel.scale + mel.mean)
    middles = np.arange(1, len(levels)) * mel.hop / mel.rate_hz
    near = (np.abs(middles[:, None] - borders_s[None]) < NEAR_S).any(1)
    change = np.abs(np.diff(levels, axis=0)).mean(1)
    loud = ((levels[1:] + levels[:-1]) / 2).mean(1)
    onsets = detect(resample(audio, mel.rate_hz, RATE_HZ))[0]
    at = (np.abs(onsets[:, None] - borders_s[None]) < NEAR_S).any(1)
    at_s = 2 * NEAR_S * len(borders_s)
    rates = at.sum() / at_s, (~at).sum() / (len(audio) / mel.rate_hz - at_s)
    return np.array([(change[near].mean(), change[~near].mean()), (loud[near].mean(), loud[~near].mean()), rates])


def gaps_of(values: list[FloatArray]) -> FloatArray:
    """Return each quantity at borders less elsewhere, shape (clips, 3)."""
    stacked = np.stack(values)
    return stacked[:, :, 0] - stacked[:, :, 1]


def interval(gaps: FloatArray) -> str:
    """Return the mean of a quantity over clips with its interval."""
    rng = np.random.default_rng(0)
    resampled = gaps[rng.integers(len(gaps), size=(2000, len(gaps)))].mean(1)
    low, high = np.quantile(resampled, (0.025, 0.975))
    return f"{gaps.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


if __name__ == "__main__":
    main()
