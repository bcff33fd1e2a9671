"""What can a network that is told the answer read from still pictures of SynthFoley: class, mechanism, material?

    OMP_NUM_THREADS=1 python benchmarks/what_stills_tell.py TRAIN_MANIFEST VAL_MANIFEST

The three voices of a mechanism share its silhouette and differ by faint stripes. A small convolutional network, trained
by cross-entropy on which classes and materials sound in a clip, sees single frames in full resolution: three of eight
in training, all eight at the end, whose scores it averages. It bounds what a model of that size can learn of them from
sound alone. Every line has the CPU seconds so far and what is right on all validation clips; the last one deals the
clips' scores out anew at random, which is chance.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.what_features_tell import CLASSES, MECHANISMS, Read, measure, truths
from foleybench.clips import FloatArray
from foleybench.shards.dataset import ShardDataset
from foleybench.synthfoley.classes import load_class
from foleybench.synthfoley.materials import MATERIALS

STILLS, SEEN, BATCH, RATE, WIDTH = 8, 3, 24, 3e-3, 16
OF_CLASS = np.array([MECHANISMS.index(load_class(name).mechanism) for name in CLASSES])


class Seer(nn.Module):
    """Scores of classes and materials from stills."""

    def __init__(self) -> None:
        super().__init__()
        widths = [3, WIDTH, 2 * WIDTH, 3 * WIDTH, 4 * WIDTH]
        layers: list[nn.Module] = []
        for given, made in itertools.pairwise(widths):
            layers += [nn.Conv2d(given, made, 3, 1 if given == 3 else 2, 1), nn.GroupNorm(4, made), nn.GELU()]
        self.layers, self.read = nn.Sequential(*layers), nn.Linear(2 * widths[-1], len(CLASSES) + len(MATERIALS))

    def forward(self, stills: Tensor) -> Tensor:
        """Return the mean scores over stills (batch, n, height, width, 3) uint8, shape (batch, names)."""
        seen = self.layers(stills.flatten(0, 1).permute(0, 3, 1, 2).float() / 255 - 0.5)
        both = torch.cat([seen.amax((2, 3)), seen.mean((2, 3))], 1)
        return self.read(both.unflatten(0, stills.shape[:2]).mean(1))


def stills_of(manifest: Path, clip_ids: list[str]) -> Tensor:
    """Return evenly spread frames of clips, shape (clips, STILLS, height, width, 3) uint8."""
    dataset, found = ShardDataset(manifest), []
    for clip_id in clip_ids:
        frames = dataset.load(clip_id, audio=False).frames
        assert frames is not None
        found.append(frames[((np.arange(STILLS) + 0.5) * len(frames) / STILLS).astype(int)])
    return torch.from_numpy(np.stack(found))


@torch.inference_mode()
def scores_of(network: Seer, stills: Tensor) -> dict[str, FloatArray]:
    """Return the scores of clips by subject; a mechanism has that of its best class."""
    found = torch.cat([network(part) for part in stills.split(BATCH)]).double().numpy()
    classes, materials = found[:, : len(CLASSES)], found[:, len(CLASSES) :]
    groups = np.stack([classes[:, number == OF_CLASS].max(1) for number in range(len(MECHANISMS))], 1)
    return {"class": classes, "mechanism": groups, "material": materials}


def said(scores: Mapping[str, FloatArray], true: dict[str, FloatArray]) -> str:
    """Return a line of what the scores get right."""
    return "; ".join(measure(Read(scores=dict(scores), truths=true)))


def main() -> None:
    """Train, and print a line now and then."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("val", type=Path)
    parser.add_argument("--steps", type=int, default=3000, help="optimiser steps (default: 3000)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    ids = {manifest: list(ShardDataset(manifest).clip_ids) for manifest in (args.train, args.val)}
    stills, asked = (stills_of(manifest, ids[manifest]) for manifest in (args.train, args.val))
    wanted, true = truths(args.train, ids[args.train]), truths(args.val, ids[args.val])
    told = torch.from_numpy(np.concatenate([wanted["class"], wanted["material"]], 1)).float()
    network = Seer()
    optimiser = torch.optim.AdamW(network.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, args.steps)
    began = time.process_time()
    for step in range(1, args.steps + 1):
        chosen = torch.randint(len(stills), (BATCH,))
        seen = stills[chosen][:, torch.randperm(STILLS)[:SEEN]]
        seen = seen.flip(3) if torch.rand(()) < 0.5 else seen
        loss = F.binary_cross_entropy_with_logits(network(seen), told[chosen])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step % max(1, args.steps // 6) == 0:
            line = said(scores_of(network.eval(), asked), true)
            print(f"{step} steps, {time.process_time() - began:.0f} CPU s: {line}", flush=True)
    dealt = np.random.default_rng(0).permutation(len(asked))
    scores = {subject: rows[dealt] for subject, rows in scores_of(network, asked).items()}
    print(f"another clip's scores: {said(scores, true)}")


if __name__ == "__main__":
    main()
