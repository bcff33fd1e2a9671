"""What can a network read from still pictures of SynthFoley: class, mechanism, material?

    OMP_NUM_THREADS=1 python benchmarks/what_stills_tell.py TRAIN_MANIFEST VAL_MANIFEST

The three voices of a mechanism share its silhouette and differ by faint stripes. A small convolutional network, trained
by cross-entropy on which classes and materials sound in a clip, sees single frames in full resolution: three of eight
in training, all eight at the end, whose scores it averages. It bounds what a model of that size can learn of them from
sound alone. Every line has the CPU seconds so far and what is right on all validation clips. The last two are chance:
the clips' scores dealt out anew at random, and one guess for all, how often each name sounds in training.

``--told sound`` trains it as a model without labels might: single frames against the audio of their clip (InfoNCE);
class and material are then read from its features by ridge regression fitted on the training clips.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.what_features_tell import CLASSES, MECHANISMS, Read, measure, read_out, truths
from foleybench.clips import FloatArray
from foleybench.shards.dataset import ShardDataset
from foleybench.synthfoley.classes import load_class
from foleymodels._parts.contrast import LOG_SCALE, info_nce, scale_of
from foleymodels._parts.signal import SignalSettings
from foleymodels._small_encoders.nets import AudioEncoder
from foleymodels._training.decoded_data import cache_settings, training_data

STILLS, SEEN, BATCH, RATE, WIDTH, CONTRAST = 8, 3, 24, 3e-3, 16, 64
OF_CLASS = np.array([MECHANISMS.index(load_class(name).mechanism) for name in CLASSES])


class Seer(nn.Module):
    """A vector from stills: scores of classes and materials, or features."""

    def __init__(self, size: int) -> None:
        super().__init__()
        widths = [3, WIDTH, 2 * WIDTH, 3 * WIDTH, 4 * WIDTH]
        layers: list[nn.Module] = []
        for given, made in itertools.pairwise(widths):
            layers += [nn.Conv2d(given, made, 3, 1 if given == 3 else 2, 1), nn.GroupNorm(4, made), nn.GELU()]
        self.layers, self.read = nn.Sequential(*layers), nn.Linear(2 * widths[-1], size)

    def forward(self, stills: Tensor) -> Tensor:
        """Return the mean over stills (batch, n, height, width, 3) uint8, shape (batch, size)."""
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


class Told:
    """What the classes and materials of the clips teach a network, and what it says of them."""

    clips, seen = BATCH, SEEN

    def __init__(self, wanted: Mapping[str, FloatArray]) -> None:
        self._wanted = torch.from_numpy(np.concatenate([wanted["class"], wanted["material"]], 1)).float()
        self.network = Seer(self._wanted.shape[1])
        self.parts = nn.ModuleList([self.network])

    def loss(self, stills: Tensor, chosen: Tensor) -> Tensor:
        """Return the error of the names of the chosen clips."""
        return F.binary_cross_entropy_with_logits(self.network(stills), self._wanted[chosen])

    def scores(self, fitted: Tensor, asked: Tensor) -> dict[str, FloatArray]:
        """Return the scores of clips; no reading has to be fitted."""
        found = vectors(self.network, asked)
        return {"class": found[:, : len(CLASSES)], "material": found[:, len(CLASSES) :]}


class Heard:
    """What the audio of the clips teaches it: which still goes with which."""

    clips, seen = 96, 1

    def __init__(self, manifest: Path, wanted: Mapping[str, FloatArray]) -> None:
        signal = SignalSettings.sizes()["tiny"]
        data = training_data(manifest, cache_settings(signal))
        assert list(data.clip_ids) == list(ShardDataset(manifest).clip_ids)
        everything, n_tokens = torch.arange(len(data)), signal.n_tokens
        self._tokens = data.crop_tokens(everything, np.zeros(len(data), dtype=np.int64), n_tokens)
        self._wanted = wanted
        self.network, self._hears = Seer(CONTRAST), AudioEncoder(self._tokens.shape[2], CONTRAST)
        self._joins, self._scale = nn.Linear(2 * CONTRAST, CONTRAST), nn.Parameter(torch.tensor(LOG_SCALE))
        self.parts = nn.ModuleList([self.network, self._hears, self._joins, nn.ParameterList([self._scale])])

    def loss(self, stills: Tensor, chosen: Tensor) -> Tensor:
        """Return the error of finding each still's clip by its audio, and the other way round."""
        heard = self._hears(self._tokens[chosen])
        audio = self._joins(torch.cat([heard.mean(1), heard.amax(1)], dim=-1))
        seen = F.normalize(self.network(stills), dim=-1)
        return info_nce(seen, F.normalize(audio, dim=-1), scale_of(self._scale))

    def scores(self, fitted: Tensor, asked: Tensor) -> dict[str, FloatArray]:
        """Return what ridge regression, fitted on the training clips, reads from the features of others."""
        known, features = vectors(self.network, fitted), vectors(self.network, asked)
        return {name: read_out(known, self._wanted[name], features) for name in ("class", "material")}


@torch.inference_mode()
def vectors(network: Seer, stills: Tensor) -> FloatArray:
    """Return the network's vectors of clips, shape (clips, size)."""
    found: FloatArray = torch.cat([network(part) for part in stills.split(BATCH)]).double().numpy()
    return found


def said(scores: Mapping[str, FloatArray], true: dict[str, FloatArray]) -> str:
    """Return a line of what the scores get right; a mechanism has the score of its best class."""
    groups = np.stack([scores["class"][:, number == OF_CLASS].max(1) for number in range(len(MECHANISMS))], 1)
    return "; ".join(measure(Read(scores={**scores, "mechanism": groups}, truths=true)))


def main() -> None:
    """Train, and print a line now and then."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("val", type=Path)
    parser.add_argument("--steps", type=int, default=3000, help="optimiser steps (default: 3000)")
    parser.add_argument("--told", choices=("labels", "sound"), default="labels", help="what it learns from")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    ids = {manifest: list(ShardDataset(manifest).clip_ids) for manifest in (args.train, args.val)}
    stills, asked = (stills_of(manifest, ids[manifest]) for manifest in (args.train, args.val))
    wanted, true = truths(args.train, ids[args.train]), truths(args.val, ids[args.val])
    lesson = Told(wanted) if args.told == "labels" else Heard(args.train, wanted)
    learn(lesson, stills, args.steps, lambda: said(lesson.scores(stills, asked), true))
    dealt = np.random.default_rng(0).permutation(len(asked))
    scores = {subject: rows[dealt] for subject, rows in lesson.scores(stills, asked).items()}
    print(f"another clip's scores: {said(scores, true)}")
    often = {name: np.tile(wanted[name].mean(0), (len(asked), 1)) for name in scores}
    print(f"one guess for all: {said(often, true)}")


def learn(lesson: Told | Heard, stills: Tensor, steps: int, report: Callable[[], str]) -> None:
    """Train a network, with a report now and then."""
    optimiser = torch.optim.AdamW(lesson.parts.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps)
    began = time.process_time()
    for step in range(1, steps + 1):
        chosen = torch.randint(len(stills), (lesson.clips,))
        seen = stills[chosen][:, torch.randperm(STILLS)[: lesson.seen]]
        seen = seen.flip(3) if torch.rand(()) < 0.5 else seen
        loss = lesson.loss(seen, chosen)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step % max(1, steps // 6) == 0:
            print(f"{step} steps, {time.process_time() - began:.0f} CPU s: {report()}", flush=True)


if __name__ == "__main__":
    main()
