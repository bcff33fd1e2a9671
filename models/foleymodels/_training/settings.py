"""Define the training's settings, and read settings from the command line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

from foleybench.api.model import TrainContext
from foleybench.errors import UnknownNameError
from foleymodels._parts.settings import Subject, choice, field_names, flat, of_size, parsed, replaced, scaled

Composed = TypeVar("Composed")
Options = TypeVar("Options", bound="RunOptions")


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoopSettings(Subject):
    """The settings of every stage's training.

    Attributes:
        optimiser: ``adamw`` (weight decay 0.01, betas 0.9 and 0.95) or ``adam`` (betas 0.9 and 0.999).
        schedule: Of the learning rate: ``cosine`` after a warm-up, or ``constant``.
        precision: ``float32`` or ``bfloat16`` (autocast; weights stay float32); ``auto`` is bfloat16 on a GPU, and a
            checkpoint says which it was.
    """

    optimiser: str = choice("adamw", "adam", earlier="adamw")
    schedule: str = choice("cosine", "constant", earlier="cosine")
    precision: str = choice("auto", "float32", "bfloat16", earlier="float32")

    @classmethod
    def sizes(cls) -> dict[str, LoopSettings]:
        """Return the settings of every size; the paper names Adam and one rate."""
        return {"tiny": cls(), "base": cls(), "std16k": cls(), "paper": cls(optimiser="adam", schedule="constant")}


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of a run that do not change the model.

    Attributes:
        cache: Folder for decoded training data; beside the manifest by default.
        jobs: Threads that decode; 0 is one per core.
        save_every_s: Seconds between checkpoints.
        conditions: Folder where conditions are kept for other runs of the same data and frame features; by default
            they lie in the run folder, and are removed when the run is over.
        micro_batches: Parts of each batch that are taken one after the other, in the memory of one; the gradient is
            that of the whole up to rounding. Stages that contrast the clips of a batch refuse.
    """

    cache: str = ""
    jobs: int = 0
    save_every_s: float = 20.0
    conditions: str = ""
    micro_batches: int = 1


def resolve(
    kind: type[Composed],
    options_kind: type[Options],
    context: TrainContext,
    *,
    forced: dict[str, Any] | None = None,
    main_steps: Callable[[Composed], int] = lambda settings: flat(settings)["flow_steps"],
) -> tuple[Composed, Options]:
    """Return the settings and options that a training run was asked for.

    Args:
        kind: The system's settings, composed of subjects; one is ``loop``.
        options_kind: Its options.
        context: Size, overrides, number of steps and device.
        forced: Settings that define a variant; the user cannot override them.
        main_steps: The number of steps that ``context.steps`` replaces; all amounts of training are scaled alike.

    Raises:
        UnknownNameError: There is no such size or setting, a value of the wrong type, an override of a forced
            setting, or values that do not go together.
    """
    fixed = forced or {}
    settings, options = of_size(kind, context.size), options_kind()
    owners = field_names(kind)
    known = [*owners, *options_kind.__dataclass_fields__]
    for name, text in context.settings.items():
        if name in fixed:
            raise UnknownNameError(f"{name} is {fixed[name]!r} in this model; it cannot be set.")
        if name in owners:
            subject = type(getattr(settings, owners[name]))
            settings = replaced(settings, **{name: parsed(subject, name, text)})
        else:
            options = dataclasses.replace(options, **{name: parsed(options_kind, name, text, known)})
    if flat(settings)["precision"] == "auto":
        precision = "bfloat16" if context.device.startswith("cuda") else "float32"
        settings = replaced(settings, precision=precision)
    settings = replaced(settings, **fixed)
    for name in sorted(set(owners.values())):
        getattr(settings, name).check()
    return (settings if context.steps is None else scaled(settings, context.steps / main_steps(settings))), options
