"""Train and build a system from its parts.

A run folder holds a folder for every part (state, log, curves, its own checkpoint), ``metrics.json``, and the
checkpoint of the whole (``model.safetensors``, ``config.json``), which needs nothing else of the folder.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from foleybench.api.model import BuildContext, Generator, TrainContext
from foleybench.errors import FoleyError, UnknownNameError, unknown
from foleybench.fields import Place, mapping, read_json
from foleymodels._alignment.settings import StageSettings
from foleymodels._parts import checkpoint
from foleymodels._parts.settings import flat, read_settings
from foleymodels._systems.parts import Parts, SystemPart, SystemRun, composed
from foleymodels._systems.settings import SystemOptions, part_options
from foleymodels._training.conditions import forget_conditions
from foleymodels._training.decoded_data import CacheSettings, cache_settings
from foleymodels._training.job import Job, is_finished, save_checkpoint
from foleymodels._training.settings import RunOptions, resolve
from foleymodels._vocoders.mel_generator import MelGenerator


@dataclasses.dataclass(frozen=True, kw_only=True)
class System:
    """A trained system.

    Attributes:
        name: Registry name, also in checkpoints.
        settings: Dataclass that composes its subjects: ``signal``, ``loop``, ``alignment`` where it has frame features,
            and its own.
        parts: Its networks, in the order in which they are trained.
        generator: From settings, trained parts and how it is sampled to the generator.
        options: Options of a run; ``stage`` names the part to stop after.
        main_steps: The setting that ``--steps`` replaces; all amounts of training are scaled alike.
        forced: Settings that define the system, by name.
    """

    name: str
    settings: type
    parts: tuple[SystemPart, ...]
    generator: Callable[[Any, Parts, BuildContext], MelGenerator]
    options: type[SystemOptions] = SystemOptions
    main_steps: str = "net_steps"
    forced: Mapping[str, object] = dataclasses.field(default_factory=dict)

    def train(self, context: TrainContext) -> Path:
        """Train all parts; goes on where a killed run stopped.

        Returns:
            The folder of the checkpoint; of a part's, when the run stops after it.
        """
        settings, options = self.resolve(context)
        parts = self._parts(settings)
        if is_finished(context, self.name, settings, {part.name: getattr(options, part.name, "") for part in parts}):
            return context.out
        job = self.job(context, settings, options)
        trained: dict[str, nn.Module] = {}
        for part in parts:
            trained[part.name] = self.train_part(part, job, settings, trained, getattr(options, part.name, ""))
            if options.stage == part.name:
                return context.out / part.name
        self._save(context, settings, trained)
        forget_conditions(context.out)
        return context.out

    def check(self, context: TrainContext) -> None:
        """Refuse what ``train`` would refuse, of settings and of what is trained already.

        Raises:
            FoleyError: As ``train`` does.
        """
        settings, options = self.resolve(context)
        for part in self._parts(settings):
            there = checkpoint.part_there(getattr(options, part.name, ""), context.out / part.name)
            if there:
                part.check(settings, there)
        if context.data.is_file():
            is_finished(context, self.name, settings)

    def job(self, context: TrainContext, settings: Any, options: RunOptions) -> Job:
        """Return the job of a run, with its data decoded as the settings want them."""
        return Job.start(context, settings.loop, options, _cache(settings))

    def train_part(self, part: SystemPart, job: Job, settings: Any, before: Parts, source: str = "") -> nn.Module:
        """Train one part, whose losses go to ``job.fit``, in a folder below the job's; or take it from a folder.

        Args:
            part: One of the system's parts.
            job: The run.
            settings: All settings of the system.
            before: The trained parts before it, on the run's device, by name.
            source: Folder of a trained part, or empty.
        """
        run = SystemRun(job=job, settings=settings, parts=dict(before), generator_of=self._sampled(settings))
        return part.trained(run, source)

    def build(self, context: BuildContext) -> MelGenerator:
        """Read a checkpoint and make the generator.

        Raises:
            FoleyError: No checkpoint was given, or it does not fit.
        """
        if context.checkpoint is None:
            raise FoleyError(
                f"{self.name} is trained: name its run folder with --checkpoint, or train it with "
                f"`foleybench train {self.name}`."
            )
        settings, parts = self.load(context.checkpoint)
        return self.generator(settings, {name: part.to(context.device) for name, part in parts.items()}, context)

    def load(self, folder: Path) -> tuple[Any, dict[str, nn.Module]]:
        """Read a checkpoint: the settings, and the trained parts by name.

        Raises:
            FoleyError: There is no checkpoint, or it does not fit.
        """
        tensors, config = checkpoint.read_checkpoint(folder, self.name)
        settings: Any = read_settings(self.settings, config["settings"], folder)
        parts: dict[str, nn.Module] = {}
        for part in self._parts(settings):
            below = checkpoint.below(tensors, part.name)
            parts[part.name] = part.rebuilt(below, config["part_settings"][part.name], dict(parts), folder)
        return settings, parts

    def resolve(self, context: TrainContext) -> tuple[Any, Any]:
        """Return the settings and options that a run was asked for.

        Raises:
            UnknownNameError: There is no such size, setting or part, or a value cannot be used; or a trained part is
                given that the system does not have.
        """
        kinds: tuple[type[Any], type[RunOptions]] = (self.settings, self.options)
        settings, options = resolve(
            *kinds, context, forced=dict(self.forced), main_steps=lambda chosen: flat(chosen)[self.main_steps]
        )
        names = [part.name for part in self._parts(settings)]
        asked = getattr(options, "stage", "")
        if asked and asked not in names:
            raise UnknownNameError(unknown("stage", asked, names))
        for name in sorted(part_options(self.options) - set(names)):
            if getattr(options, name):
                raise UnknownNameError(
                    f"{self.name} takes no {name}: with these settings its parts are {', '.join(names)}. "
                    f"Leave {name}= out."
                )
        return settings, options

    def _parts(self, settings: Any) -> list[SystemPart]:
        return [part for part in self.parts if part.wanted(settings)]

    def _sampled(self, settings: Any) -> Callable[[Parts, BuildContext], Generator]:
        return lambda parts, context: self.generator(settings, parts, context)

    def _save(self, context: TrainContext, settings: Any, trained: Parts) -> None:
        records = {name: _settings_in(context.out / name) for name in trained}
        tensors = checkpoint.joined_weights(trained)
        save_checkpoint(context.out, self.name, settings, tensors, context, self.name, part_settings=records)


def _settings_in(folder: Path) -> dict[str, Any]:
    """Return the settings that a part was trained with, which may be another run's."""
    path = folder / checkpoint.CONFIG
    record: dict[str, Any] = read_json(path, mapping, Place(str(path), advice="Train again."))["settings"]
    return record


def _cache(settings: Any) -> CacheSettings:
    """Return what training data is decoded: with the features of a large encoder where the settings name one."""
    if hasattr(settings, "alignment"):
        cache: CacheSettings = composed(StageSettings, settings).cache
        return cache
    return cache_settings(settings.signal)
