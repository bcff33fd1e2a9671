"""A trained vocoder beside Griffin-Lim on the real audio of a split: how near, and how long it takes.

Distances are those that the vocoder is trained on (``foleymodels/_vocoders/train_vocos.py``): spectral is over four
resolutions, mel is the mean distance of normalised mel tokens. Seconds are CPU time of one thread, one clip at a time,
median over clips. Differences are paired, with 95 % intervals over clips (bootstrap).

    python benchmarks/vocoders.py --vocoder runs/vocoder --data shards/test.manifest.jsonl
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from foleybench.api.model import BuildContext
from foleybench.clips import FloatArray
from foleybench.shards.dataset import ShardDataset
from foleymodels._parts.mel import Mel
from foleymodels._parts.settings import SIZES
from foleymodels._parts.signal import SignalSettings
from foleymodels._vocoders.choose import GriffinLim, Vocoder, vocoder_of
from foleymodels._vocoders.train_vocos import mel_distance, spectral_distance
from foleymodels.controls._change import own_audio

ITERATIONS = (4, 8, 16, 32)
BASE = 16


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vocoder", type=Path, required=True, help="folder of a trained vocoder")
    parser.add_argument("--data", type=Path, required=True, help="manifest of a split")
    parser.add_argument("--size", default="tiny", choices=SIZES, help="whose mel settings (default: tiny)")
    parser.add_argument("--limit", type=int, help="only the first clips")
    args = parser.parse_args()
    torch.set_num_threads(1)
    mel = Mel(SignalSettings.sizes()[args.size].mel)
    trained = vocoder_of(BuildContext(vocoder=args.vocoder), mel.settings, BASE)
    vocoders: list[Vocoder] = [trained, *(GriffinLim(mel.settings, n) for n in ITERATIONS)]
    data = ShardDataset(args.data)
    rows = np.stack([measure(vocoders, mel, data, clip_id) for clip_id in data.clip_ids[: args.limit]])
    base = 1 + ITERATIONS.index(BASE)
    print(f"{len(rows)} clips of {args.data.name}; differences from Griffin-Lim with {BASE} iterations\n")
    print(
        "| vocoder | spectral | less [95 %] | mel | less [95 %] | CPU seconds a clip |\n|---|---:|---:|---:|---:|---:|"
    )
    for k, vocoder in enumerate(vocoders):
        gaps = [interval(rows[:, k, q] - rows[:, base, q]) for q in (0, 1)]
        spectral, near = rows[:, k, 0].mean(), rows[:, k, 1].mean()
        seconds = np.median(rows[:, k, 2])
        print(f"| {vocoder.name} | {spectral:.4f} | {gaps[0]} | {near:.4f} | {gaps[1]} | {seconds:.4f} |")


@torch.inference_mode()
def measure(vocoders: list[Vocoder], mel: Mel, data: ShardDataset, clip_id: str) -> FloatArray:
    """Return, for every vocoder, both distances and the seconds it took, shape (vocoders, 3)."""
    audio = torch.from_numpy(own_audio(data.load(clip_id, video=False), mel.settings.rate_hz))[None]
    tokens = mel.tokens(audio)
    found = []
    for vocoder in vocoders:
        started = time.process_time()
        made = vocoder(tokens, audio.shape[-1])
        seconds = time.process_time() - started
        found.append((float(spectral_distance(made, audio)), float(mel_distance(mel, made, tokens)), seconds))
    return np.array(found)


def interval(gaps: FloatArray) -> str:
    """Return the mean of a difference with its interval."""
    resampled = gaps[np.random.default_rng(0).integers(len(gaps), size=(2000, len(gaps)))].mean(1)
    low, high = np.quantile(resampled, (0.025, 0.975))
    return f"{gaps.mean():+.4f} [{low:+.4f}, {high:+.4f}]"


if __name__ == "__main__":
    main()
