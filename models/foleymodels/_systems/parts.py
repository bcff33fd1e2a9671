"""Define the parts of a system: networks trained in a row.

A trained part lies in the run folder below its name, as a checkpoint of its own, so that another run can take it
(``--set codec=RUN/codec``) and a killed run goes on after it.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

from torch import Tensor, nn

from foleybench.api.model import BuildContext, Generator
from foleybench.errors import FoleyError
from foleybench.runtime import distributed
from foleymodels._parts import checkpoint
from foleymodels._parts.settings import field_names, flat, read_settings
from foleymodels._training.job import Job, save_checkpoint
from foleymodels._training.loop import Monitor, seeded, write_metrics
from foleymodels._training.samples import averaged

Parts = Mapping[str, nn.Module]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SystemRun:
    """What a part is trained with.

    Attributes:
        job: The run's data and command.
        settings: All settings of the system.
        parts: The parts trained before, frozen, on the run's device, by name.
        generator_of: Makes the generator of all parts, for samples while training.
    """

    job: Job
    settings: Any
    parts: Parts
    generator_of: Callable[[Parts, BuildContext], Generator]

    def monitor(self, name: str, network: nn.Module) -> Monitor:
        """Return the monitor of the stage that trains the last missing part of the generator.

        Args:
            name: Name of the part.
            network: The network in training.
        """
        context = BuildContext(device=self.job.context.device)

        def generator(weights: dict[str, Tensor]) -> Generator:
            return self.generator_of({**self.parts, name: averaged(network, weights)}, context)

        return self.job.monitor(generator, self.settings.signal.mel)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SystemPart:
    """A network with a stage of its own.

    Attributes:
        name: Folder below the run folder, name of the weights, and option that names a folder to take it from.
        trained: From the run and that folder, or "", to the trained network.
        rebuilt: From weights, the part's settings as its checkpoint records them, the parts before it, and the folder
            (for messages) to the trained network.
        wanted: Whether a system of some settings has the part.
        check: From all settings of a system and the folder of the trained part; refuses one that does not fit.
    """

    name: str
    trained: Callable[[SystemRun, str], nn.Module]
    rebuilt: Callable[[dict[str, Tensor], dict[str, Any], Parts, Path], nn.Module]
    wanted: Callable[[Any], bool] = lambda settings: True
    check: Callable[[Any, Path], None] = lambda settings, folder: None


def own_part(
    name: str,
    kind: type,
    new: Callable[[Any, Parts], nn.Module],
    train: Callable[[SystemRun, nn.Module], None],
    *,
    tag: str = "",
    wanted: Callable[[Any], bool] = lambda settings: True,
) -> SystemPart:
    """Return a part from its network and its training.

    Args:
        name: Name of the part.
        kind: Dataclass that composes the subjects which decide it, some of those of the system's settings.
        new: From settings of that kind and the parts before it to the untrained network.
        train: Trains a network on its device and leaves its averaged weights in it (``Job.fit`` does).
        tag: Kind of its checkpoint; by default its name.
        wanted: Whether a system of some settings has the part.
    """
    tag = tag or name

    def rebuilt(tensors: dict[str, Tensor], record: dict[str, Any], parts: Parts, folder: Path) -> nn.Module:
        network = new(read_settings(kind, record, folder), parts)
        checkpoint.load_into(network, tensors, folder)
        return network.eval().requires_grad_(False)

    def check(settings: Any, folder: Path) -> None:
        _, config = checkpoint.read_checkpoint(folder, tag)
        _refuse_misfit(read_settings(kind, config["settings"], folder), composed(kind, settings), folder, name)

    def trained(run: SystemRun, source: str) -> nn.Module:
        context, wanted = run.job.context, composed(kind, run.settings)
        folder = context.out / name
        if source:
            if not (folder / checkpoint.CONFIG).is_file():
                check(run.settings, Path(source))  # before it is copied
            _take(Path(source), folder, tag, name)
        if not distributed.agreed((folder / checkpoint.CONFIG).is_file()):
            network = seeded(lambda: new(wanted, run.parts), context.seed).to(context.device)
            train(run, network)
            save_checkpoint(folder, tag, wanted, network.state_dict(), context, name)
        tensors, config = checkpoint.read_checkpoint(folder, tag)
        _refuse_misfit(read_settings(kind, config["settings"], folder), wanted, folder, name)
        return rebuilt(tensors, config["settings"], run.parts, folder).to(context.device)

    return SystemPart(name=name, trained=trained, rebuilt=rebuilt, wanted=wanted, check=check)


def composed(kind: type, settings: Any) -> Any:
    """Return the subjects of some settings that a smaller composition holds."""
    return kind(**{name: getattr(settings, name) for name in get_type_hints(kind)})


def _take(source: Path, folder: Path, tag: str, name: str) -> None:
    """Copy a trained part and what was measured of it, in the first process; a folder that is no part is refused."""
    if distributed.first() and not (folder / checkpoint.CONFIG).is_file():
        _, config = checkpoint.read_checkpoint(source, tag)
        folder.mkdir(parents=True, exist_ok=True)
        write_metrics(folder.parent, {name: config["metrics"].get(name, {})})
        for file in (checkpoint.WEIGHTS, checkpoint.CONFIG):
            shutil.copyfile(source / file, folder / file)
    distributed.agreed(True)


def _refuse_misfit(trained: Any, wanted: Any, folder: Path, name: str) -> None:
    """Refuse a part of other settings; only how long it was trained, and on which kind of chip, may differ.

    Raises:
        FoleyError: A setting differs; the first is named.
    """
    has, wants = flat(trained), flat(wanted)
    free = {field for field, subject in field_names(type(wanted)).items() if subject == "loop"}
    for subject in dataclasses.fields(wanted):
        fields = dataclasses.fields(getattr(wanted, subject.name))
        free |= {field.name for field in fields if field.metadata.get("scales")}
    for field in sorted(wants.keys() - free):
        if has[field] != wants[field]:
            raise FoleyError(
                f"the {name} in {folder} was trained with {field}={has[field]}, this run wants {wants[field]}. "
                "Use the same settings, or train another with another --out."
            )
