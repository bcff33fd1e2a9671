"""Does a trained system use the video at all? Its training loss with the right frame features and with another clip's.

    python benchmarks/condition_use.py VAL_MANIFEST RUN...

A run folder is what ``foleybench train SYSTEM`` wrote. For the network that makes the audio, the loss of its training
is taken on crops of the validation split, once as it is and once with the features of the next clip of the batch: same
crops, noise and masks. A network that ignores its condition has the same loss both times. The share that is lost by
another clip's features is no measure of timing, only of use.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from scipy import stats as distributions
from torch import nn

from foleybench.api.model import BuildContext, TrainContext
from foleymodels._alignment.conditions import aligned_conditions
from foleymodels._flow.training import train_flow
from foleymodels._parts import checkpoint
from foleymodels._systems.system import System
from foleymodels._training.conditions import Conditions
from foleymodels._training.job import Job
from foleymodels._training.settings import RunOptions
from foleymodels.foleyflow.checkpoints import KIND as FOLEYFLOW
from foleymodels.foleyflow.checkpoints import load_foleyflow
from foleymodels.foleyflow.generate import generator_of

# The part that makes the audio, under the names that systems have for it.
MAKERS = ("writer", "generator", "diffusion")


@dataclasses.dataclass(frozen=True, kw_only=True)
class MeasuringJob(Job):
    """A job that trains nothing: its network gets trained weights, and its loss is taken.

    Attributes:
        weights: Weights by name.
        n_batches: Batches on which the loss is taken.
        found: The loss of every batch, with its own features and with another clip's; filled by ``fit``.
    """

    weights: dict[str, Any]
    n_batches: int
    found: list[tuple[float, float]] = dataclasses.field(default_factory=list)

    def fit(self, module: Any, losses: Any, stage: str, **facts: Any) -> dict[str, Any]:
        """Take the loss of each batch with the right features and with another clip's."""
        module.load_state_dict(self.weights)
        module.eval()
        right = Conditions.crop

        def another(self: Conditions, *asked: Any, **more: Any) -> torch.Tensor:
            return right(self, *asked, **more).roll(1, 0)

        for step in range(self.n_batches):
            pair = []
            for crop in (right, another):
                with mock.patch.object(Conditions, "crop", crop), torch.no_grad():
                    pair.append(float(losses(step, torch.Generator().manual_seed(step))["loss"]))
            self.found.append((pair[0], pair[1]))
        return {}


def measure(system: System, run: Path, val: Path, n_batches: int) -> list[tuple[float, float]]:
    """Return a pair a batch: the loss of the network that makes the audio, with its own and with other features."""
    settings, parts = system.load(run)
    (maker,) = (part for part in system.parts if part.name in MAKERS)
    with tempfile.TemporaryDirectory() as out:
        context = TrainContext(data=val, val=None, out=Path(out), size="tiny", settings={})
        job = _measuring(system.job(context, settings, system.options()), parts[maker.name], n_batches)
        system.train_part(maker, job, settings, {name: part for name, part in parts.items() if name != maker.name})
    return job.found


def measure_foleyflow(run: Path, val: Path, n_batches: int) -> list[tuple[float, float]]:
    """Return a pair a batch for Foley-Flow: its flow's loss on its own features and on another clip's."""
    model = load_foleyflow(run)
    assert model.alignment is not None
    with tempfile.TemporaryDirectory() as out:
        context = TrainContext(data=val, val=None, out=Path(out), size="tiny", settings={})
        plain = Job.start(context, model.settings.loop, RunOptions(), model.settings.stage.cache)
        job = _measuring(plain, model.flow, n_batches)
        conditions = aligned_conditions(model.alignment, job.data, context.device, Path(out))

        def crop(*asked: Any) -> torch.Tensor:  # looked up at each call, for ``fit`` replaces it
            return conditions.crop(*asked)

        train_flow(job, model.flow, crop, lambda twin: generator_of(model, BuildContext(device="cpu")))
    return job.found


def _measuring(plain: Job, maker: nn.Module, n_batches: int) -> MeasuringJob:
    shared = {field.name: getattr(plain, field.name) for field in dataclasses.fields(plain)}
    return MeasuringJob(**shared, weights=maker.state_dict(), n_batches=n_batches)


def system_of(run: Path) -> System | None:
    """Return the system that a run folder is of, None where it is Foley-Flow."""
    kind = checkpoint.kind_of(run)
    if kind == FOLEYFLOW:
        return None
    system: System = importlib.import_module(f"foleymodels.{kind}.system").SYSTEM
    return system


def main() -> None:
    """Print a line for every run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("val", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--batches", type=int, default=16, help="batches of the size's own number of crops (16)")
    args = parser.parse_args()
    print("| Run | Loss | with another clip's features | more [95 %] |\n|---|---:|---:|---:|")
    for run in args.runs:
        system = system_of(run)
        asked = (run, args.val, args.batches)
        own, other = np.array(measure(system, *asked) if system else measure_foleyflow(*asked)).T
        more = (other - own) / own.mean()
        half = distributions.t.ppf(0.975, len(more) - 1) * more.std(ddof=1) / np.sqrt(len(more))
        share = f"{100 * more.mean():+.1f} % ± {100 * half:.1f}"
        print(f"| {run.name} | {own.mean():.4f} | {other.mean():.4f} | {share} |", flush=True)


if __name__ == "__main__":
    main()
