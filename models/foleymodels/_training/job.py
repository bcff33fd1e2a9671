"""Share one job among the training stages of a system."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from foleybench.api.model import Generator, TrainContext
from foleybench.clips import IntArray
from foleybench.errors import FoleyError
from foleybench.runtime import distributed
from foleymodels._parts import checkpoint
from foleymodels._parts.mel import MelSettings
from foleymodels._parts.settings import flat, read_settings
from foleymodels._training.data_parallel import share
from foleymodels._training.decoded_data import CacheSettings, TrainingData, training_data
from foleymodels._training.loop import (
    LossFunction,
    Monitor,
    batch_indices,
    fit,
    forget_state,
    measured,
    outcome,
)
from foleymodels._training.optimisers import FitSettings
from foleymodels._training.samples import SampleWriter
from foleymodels._training.settings import LoopSettings, RunOptions
from foleymodels._training.stopwatch import Stopwatch


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """A training run: command, settings of its stages, and decoded data.

    Attributes:
        context: The command's settings.
        loop: Settings of every stage's training.
        options: The run's options beside the settings.
        data: Training data.
        val: Validation data; the training data when no validation split was given.
    """

    context: TrainContext
    loop: LoopSettings
    options: RunOptions
    data: TrainingData
    val: TrainingData

    @classmethod
    def start(cls, context: TrainContext, loop: LoopSettings, options: RunOptions, wanted: CacheSettings) -> Job:
        """Return the job with its data, which is decoded first if needed."""
        folder = Path(options.cache) if options.cache else None

        def decoded(manifest: Path) -> TrainingData:
            return distributed.after_first(
                lambda: training_data(manifest, wanted, folder=folder, jobs=options.jobs, device=context.device)
            )

        data = decoded(context.data)
        val = data if context.val is None else decoded(context.val)
        return cls(context=context, loop=loop, options=options, data=data, val=val)

    @property
    def conditions_folder(self) -> Path:
        """Where the conditions of every token are kept: the run folder, or the one that runs share."""
        return Path(self.options.conditions) if self.options.conditions else self.context.out

    def draw_crops(self, batch: int, n_tokens: int, step: int, generator: torch.Generator) -> tuple[Tensor, IntArray]:
        """Return this process's share of a step's batch: clips, and starts of their crops."""
        indices = batch_indices(len(self.data), batch, step, self.context.seed)
        starts = self.data.starts(indices, n_tokens, generator)
        return share().rows(indices), share().rows(starts)

    def fit(
        self,
        module: nn.Module,
        losses: LossFunction,
        stage: str,
        *,
        steps: int,
        rate: float,
        ema: float,
        name: str,
        monitor: Monitor | None = None,
        other_rates: tuple[tuple[str, float], ...] = (),
    ) -> dict[str, Any]:
        """Train a module and leave its averaged weights in it.

        Args:
            module: The network, on its device.
            losses: From (step, generator) to named losses.
            stage: Folder of the stage below the run folder.
            steps: Optimiser steps.
            rate: Peak learning rate.
            ema: Decay of the averaged weights.
            name: Name in the progress bar and the title of the curves.
            monitor: Logging and samples.
            other_rates: Peak learning rates of parts of the module, by the name that their parameters begin with.

        Returns:
            The last logged losses, the number of steps, the rates, the device and the precision where it was not a
            CPU, and the seconds taken (wall time and processor time), also by processes that were killed.
        """
        watch = Stopwatch()
        settings = FitSettings(
            steps=steps,
            learning_rate=rate,
            ema_decay=ema,
            save_every_s=self.options.save_every_s,
            optimiser=self.loop.optimiser,
            schedule=self.loop.schedule,
            precision=self.loop.precision,
            other_rates=other_rates,
            micro_batches=self.options.micro_batches,
        )
        folder = self.context.out / stage
        monitor = monitor or Monitor(tensorboard=self.context.tensorboard)
        weights = fit(module, losses, settings, folder, seed=self.context.seed, name=name, monitor=monitor, watch=watch)
        module.load_state_dict(weights)
        facts = {"steps": steps, "rate": rate, **{f"rate_{name}": other for name, other in other_rates}}
        device = next(module.parameters()).device.type
        place = {} if device == "cpu" else {"device": device, "precision": self.loop.precision}
        return {**outcome(folder), **facts, **place, **watch.facts}

    def monitor(
        self, generator_of: Callable[[dict[str, Tensor]], Generator], mel: MelSettings, folder: str = "samples"
    ) -> Monitor:
        """Return the monitor of a stage that can make audio.

        Args:
            generator_of: Makes a generator of averaged weights.
            mel: The mel transform of the plots.
            folder: Folder of the samples, below the run folder.
        """
        context = self.context
        if not context.sample_every:
            return Monitor(tensorboard=context.tensorboard)
        writer = SampleWriter(context.val or context.data, context.out / folder, generator_of, mel, seed=context.seed)
        return Monitor(tensorboard=context.tensorboard, sample_every=context.sample_every, sample=writer)


def checkpoint_origin(context: TrainContext) -> dict[str, Any]:
    """Return a checkpoint's origin: seed and hash of the training manifest."""
    return {"seed": context.seed, "data_sha256": hashlib.sha256(context.data.read_bytes()).hexdigest()}


def is_finished(context: TrainContext, kind: str, settings: Any, taken: Mapping[str, str] | None = None) -> bool:
    """Return whether a run folder holds the finished run that is asked for.

    Args:
        context: The command's settings.
        kind: Kind of the checkpoint.
        settings: Composed settings.
        taken: By name of a part, the folder of the trained one that is asked for, or empty.

    Raises:
        FoleyError: The folder holds a run of other settings, seed or data, which is neither repeated nor returned; or,
            finished or not, another part than one that is asked for.
    """
    for part, source in (taken or {}).items():
        checkpoint.refuse_another(source, context.out / part)
    if not distributed.agreed((context.out / checkpoint.CONFIG).is_file()):
        return False
    _, config = checkpoint.read_checkpoint(context.out, kind)
    trained = {**flat(read_settings(type(settings), config["settings"], context.out)), **config["origin"]}
    wanted = {**flat(settings), **checkpoint_origin(context)}
    changed = sorted(name for name in wanted if trained[name] != wanted[name])
    if changed:
        raise FoleyError(f"{context.out} holds a finished run with another {', '.join(changed)}. Choose another --out.")
    return True


def save_checkpoint(
    folder: Path, kind: str, settings: Any, tensors: dict[str, Tensor], context: TrainContext, stage: str, **more: Any
) -> None:
    """Write a checkpoint with settings, origin and measurements in the first process; the others wait.

    Args:
        folder: Folder of the checkpoint; made when absent.
        kind: Kind of the checkpoint.
        settings: Composed settings.
        tensors: Weights by name.
        context: The run's settings.
        stage: The finished stage, whose resume files are removed.
        more: Further parts of the config.
    """
    if distributed.first():
        facts = {
            "settings": dataclasses.asdict(settings),
            "origin": checkpoint_origin(context),
            "metrics": measured(context.out),
        }
        checkpoint.write_checkpoint(folder, kind, tensors, {**facts, **more})
        forget_state(context.out / stage)
    distributed.agreed(True)
