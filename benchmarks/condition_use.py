"""Does a trained system use the video at all? Its training loss with the right frame features and with another clip's.

    python benchmarks/condition_use.py VAL_MANIFEST RUN...

A run folder is what ``foleybench train SYSTEM`` wrote. For the network that makes the audio, the loss of its training
is taken on crops of the validation split, once as it is and once with the features of the next clip of the batch: same
crops, noise and masks. A network that ignores its condition has the same loss both times. The share that is lost by
another clip's features is no measure of timing, only of use.
"""

from __future__ import annotations

import argparse
import importlib
import json
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from scipy import stats as distributions

from foleybench.api.model import TrainContext
from foleymodels._systems.parts import SystemRun
from foleymodels._systems.system import System, _cache
from foleymodels._training.conditions import Conditions
from foleymodels._training.job import Job

# The part that makes the audio, under the names that systems have for it.
MAKERS = ("writer", "generator", "diffusion")


class Measured(Job):
    """A job that trains nothing: its networks get trained weights, and their loss is taken."""

    weights: dict[str, Any]
    n_batches: int
    found: list[tuple[float, float]]

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


def measure(run: Path, val: Path, n_batches: int) -> list[tuple[float, float]]:
    """Return a pair a batch: the loss of the network that makes the audio, with its own and with other features."""
    name = json.loads((run / "config.json").read_text())["kind"]
    system: System = importlib.import_module(f"foleymodels.{name}.system").SYSTEM
    settings, parts = system.load(run)
    (maker,) = (part for part in system.parts if part.name in MAKERS)
    with tempfile.TemporaryDirectory() as out:
        context = TrainContext(data=val, val=None, out=Path(out), size="tiny", settings={})
        job: Any = Measured.start(context, settings.loop, system.options(), _cache(settings))
        for field, value in (("weights", parts[maker.name].state_dict()), ("n_batches", n_batches), ("found", [])):
            object.__setattr__(job, field, value)
        before = {part: network for part, network in parts.items() if part != maker.name}
        maker.trained(SystemRun(job=job, settings=settings, parts=before, generator_of=lambda *_: None), "")
        found: list[tuple[float, float]] = job.found
    return found


def main() -> None:
    """Print a line for every run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("val", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--batches", type=int, default=16, help="batches of the size's own number of crops (16)")
    args = parser.parse_args()
    print("| Run | Loss | with another clip's features | more [95 %] |\n|---|---:|---:|---:|")
    for run in args.runs:
        own, other = np.array(measure(run, args.val, args.batches)).T
        more = (other - own) / own.mean()
        half = distributions.t.ppf(0.975, len(more) - 1) * more.std(ddof=1) / np.sqrt(len(more))
        share = f"{100 * more.mean():+.1f} % ± {100 * half:.1f}"
        print(f"| {run.name} | {own.mean():.4f} | {other.mean():.4f} | {share} |", flush=True)


if __name__ == "__main__":
    main()
