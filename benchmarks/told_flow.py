"""What does Foley-Flow's flow make of the materials, where it is told them?

    OMP_NUM_THREADS=1 python benchmarks/told_flow.py RUN TRAIN_MANIFEST TEST_MANIFEST --out FOLDER

The audio of Foley-Flow tells next to nothing of a clip's materials, and so does its condition
(``what_features_tell.py``). Is the condition the limit, or the flow? The flow of a run is trained anew by the run's own
settings, on its condition and, beside it, which materials sound in the clip, the same at all times. Then it makes the
first clips of the test split (8 evaluations, half of the first estimate's loudness), told the materials of each clip,
and told those of another clip, dealt out at random. The run itself, which is told nothing, makes the same clips.

A flow that is told the truth is no model: it bounds what a better condition could bring. Training goes on where it was
stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from benchmarks.ladders import Built, features, view
from foleybench import registry
from foleybench.api.metric import Metric, Stat
from foleybench.api.model import BuildContext, TrainContext
from foleybench.clips import Clip, IntArray
from foleybench.encoders._nets.mini_labels import mini_material_names, sounding_materials
from foleybench.media.audio import resample
from foleybench.shards.dataset import ShardDataset
from foleybench.stats import estimate
from foleymodels._alignment.conditions import aligned_conditions
from foleymodels._flow.generate import flow_generator
from foleymodels._flow.training import train_flow
from foleymodels._training.decoded_data import video_input
from foleymodels._training.job import Job
from foleymodels._training.loop import seeded
from foleymodels._training.settings import RunOptions
from foleymodels._vocoders.mel_generator import MelGenerator
from foleymodels.foleyflow.checkpoints import load_foleyflow, new_flow
from foleymodels.foleyflow.generate import generator_of

METRICS = ("material_accuracy", "material_auc", "event_f1_25ms")
NFE, SHARE, BATCH = 8, 0.5, 16


def materials_of(manifest: Path, clip_ids: Sequence[str]) -> Tensor:
    """Return which materials sound in each of the clips, 0 or 1, shape (clips, materials)."""
    dataset, names = ShardDataset(manifest), mini_material_names()
    found = []
    for clip_id in clip_ids:
        sounding = sounding_materials(dataset.load(clip_id, video=False, audio=False).events)
        found.append([float(name in sounding) for name in names])
    return torch.tensor(found)


class Told:
    """A flow that is told which materials sound.

    Attributes:
        job: Its training run.
        flow: The network; untrained until ``train``.
    """

    def __init__(self, run: Path, train: Path, out: Path) -> None:
        """Take a run's settings and its alignment stage.

        Args:
            run: Folder of a trained Foley-Flow.
            train: Manifest of the training split.
            out: Folder of the new training.
        """
        self._model = load_foleyflow(run)
        assert self._model.alignment is not None
        settings = self._model.settings
        context = TrainContext(data=train, val=None, out=out)
        self.job = Job.start(context, settings.loop, RunOptions(), settings.stage.cache)
        known = materials_of(train, self.job.data.clip_ids)
        self._centre, self._spread = known.mean(0), known.std(0)
        self._known = self.standardised(known)
        self._conditions = aligned_conditions(self._model.alignment, self.job.data, "cpu", out)
        self.flow = seeded(lambda: new_flow(settings, self._conditions.width + known.shape[1]), context.seed)

    def standardised(self, materials: Tensor) -> Tensor:
        """Return materials in units of the training clips' spread, shape (clips, materials); their mean is 0."""
        return (materials - self._centre) / self._spread

    def train(self) -> None:
        """Train the flow."""
        every = self._conditions.sample()
        self.flow.fit_scale(torch.cat([every, torch.zeros(len(every), self._known.shape[1])], 1))
        self.flow.spread[self._conditions.width :] = 1.0  # those are standardised already
        train_flow(self.job, self.flow, self._crop, lambda twin: self.generator({}))  # no samples are asked for

    def _crop(self, indices: Tensor, starts: IntArray, n_tokens: int, device: torch.device) -> Tensor:
        return _beside(self._conditions.crop(indices, starts, n_tokens, device), self._known[indices])

    def generator(self, told: dict[str, Tensor]) -> MelGenerator:
        """Return what makes audio of clips that are told of, clip id -> standardised materials."""
        settings, _, alignment = self._model
        assert alignment is not None

        def condition_of(clips: Sequence[Clip], n_tokens: int) -> Tensor:
            wanted = settings.stage.cache
            frames = torch.stack([torch.from_numpy(video_input(clip, wanted, "cpu")) for clip in clips])
            return _beside(alignment.condition(frames, n_tokens), torch.stack([told[clip.clip_id] for clip in clips]))

        return flow_generator(self.flow, condition_of, settings.signal, BuildContext(nfe=NFE, level_share=SHARE))

    def untold(self) -> MelGenerator:
        """Return what makes audio by the run itself."""
        return generator_of(self._model, BuildContext(nfe=NFE, level_share=SHARE))


def _beside(condition: Tensor, told: Tensor) -> Tensor:
    """Return a condition (clips, n, width) with what is told of the clips (clips, names) at all of its times."""
    return torch.cat([condition, told[:, None].expand(-1, condition.shape[1], -1).to(condition)], dim=-1)


def scored(
    generator: MelGenerator, dataset: ShardDataset, clip_ids: Sequence[str], metrics: dict[str, Metric]
) -> dict[str, dict[str, Stat]]:
    """Return metric -> clip id -> statistics of generated audio; the clips' own numbers seed the noise."""
    names = {need.encoder for metric in metrics.values() for need in metric.needs.values()}
    encoders = {name: Built(registry.load("encoders", name)) for name in names}
    found: dict[str, dict[str, Stat]] = {name: {} for name in metrics}
    for first in tqdm(range(0, len(clip_ids), BATCH), unit="batch"):
        clips = [dataset.load(clip_id) for clip_id in clip_ids[first : first + BATCH]]
        sources = [np.random.default_rng([0, first + number]) for number in range(len(clips))]
        for clip, audio in zip(clips, generator.generate_batch(clips, sources), strict=True):
            made = features(resample(audio, generator.rate_hz, clip.rate_hz), clip, encoders)
            for name, metric in metrics.items():
                stat = metric.per_clip(view(clip, metric, {}, made))
                if stat is not None:
                    found[name][clip.clip_id] = stat
    return found


def line(name: str, found: dict[str, dict[str, Stat]], metrics: dict[str, Metric], sources: dict[str, str]) -> str:
    """Return a row of the table: each value with its interval over source videos."""
    cells = []
    for metric_name, metric in metrics.items():
        value = estimate.value_of(metric, found[metric_name])
        interval = estimate.interval_of(metric_name, metric, found[metric_name], sources)
        cells.append(f"{value:.3f} [{interval.low:.3f}, {interval.high:.3f}]" if interval else f"{value:.3f}")
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Train the flow, and print a row for each way to tell it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a trained Foley-Flow, with its alignment stage")
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--clips", type=int, default=513, help="first clips that are scored (default: 513)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training")
    args = parser.parse_args()
    torch.set_num_threads(1)
    told = Told(args.run, args.train, args.out)
    told.train()
    dataset = ShardDataset(args.test)
    ids = dataset.clip_ids[: args.clips]
    right = told.standardised(materials_of(args.test, ids))
    dealt = torch.from_numpy(np.random.default_rng(0).permutation(len(ids)))
    metrics = {name: registry.load("metrics", name) for name in METRICS}
    sources = {clip_id: dataset.entry(clip_id).source_id for clip_id in ids}
    print(f"| told | {' | '.join(METRICS)} |\n|---|{'---|' * len(METRICS)}")
    makers = {
        "nothing (the run itself)": told.untold(),
        "its own materials": told.generator(dict(zip(ids, right, strict=True))),
        "another clip's": told.generator(dict(zip(ids, right[dealt], strict=True))),
    }
    for name, generator in makers.items():
        print(line(name, scored(generator, dataset, ids, metrics), metrics, sources), flush=True)


if __name__ == "__main__":
    main()
