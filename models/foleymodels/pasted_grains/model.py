"""Hold the fitted model: ridges, and places of grains."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from foleymodels._parts import checkpoint
from foleymodels._parts.ridge import Ridge

KIND = "pasted_grains"


@dataclasses.dataclass(frozen=True)
class ClassModel:
    """The fit of one class.

    Attributes:
        ridge: From frame features to a score of onsets, or to log level.
        onsets: Whether grains are pasted at onsets; else the level of a texture is shaped.
        threshold: Score from which a peak is an onset.
        shift_s: Seconds added to the time of each onset.
    """

    ridge: Ridge
    onsets: bool
    threshold: float
    shift_s: float


@dataclasses.dataclass(frozen=True)
class Grains:
    """The whole fitted model.

    Attributes:
        names: Class names.
        classes: Fit of each class.
        look: From clip features to classes.
        looks: Clip features of the training clips, standardised, shape (n, d).
        look_centre: Subtracted from clip features.
        look_spread: Divides them afterwards.
        clip_ids: The training clips.
        labels: Their classes.
        onsets_s: Onsets found in the audio of each.
        manifest: Their manifest.
        manifest_sha256: Its hash.
    """

    names: tuple[str, ...]
    classes: tuple[ClassModel, ...]
    look: Ridge
    looks: Tensor
    look_centre: Tensor
    look_spread: Tensor
    clip_ids: tuple[str, ...]
    labels: tuple[str, ...]
    onsets_s: tuple[tuple[float, ...], ...]
    manifest: Path
    manifest_sha256: str

    def guess(self, described: Tensor) -> int:
        """Return the predicted class of a clip, by its features (d,)."""
        return int(self.look(described[None])[0].argmax())

    def donors(self, number: int, described: Tensor) -> list[int]:
        """Return the training clips of a class, the most similar one first."""
        away = (self.looks - (described - self.look_centre) / self.look_spread).square().sum(1)
        own = [k for k, label in enumerate(self.labels) if label == self.names[number]]
        return sorted(own, key=lambda k: float(away[k]))


def write_grains(folder: Path, grains: Grains, config: dict[str, Any]) -> Path:
    """Write a checkpoint."""
    tensors = {
        "looks": grains.looks,
        "look_centre": grains.look_centre,
        "look_spread": grains.look_spread,
        **_tensors("look", grains.look),
    }
    for number, known in enumerate(grains.classes):
        tensors |= _tensors(f"class{number}", known.ridge)
    record = {
        **config,
        "names": list(grains.names),
        "classes": [{"onsets": c.onsets, "threshold": c.threshold, "shift_s": c.shift_s} for c in grains.classes],
        "clip_ids": list(grains.clip_ids),
        "labels": list(grains.labels),
        "onsets_s": [list(times) for times in grains.onsets_s],
        "manifest": str(grains.manifest),
        "manifest_sha256": grains.manifest_sha256,
    }
    return checkpoint.write_checkpoint(folder, KIND, tensors, record)


def read_grains(folder: Path) -> tuple[Grains, dict[str, Any]]:
    """Read a checkpoint; return it and its config."""
    tensors, config = checkpoint.read_checkpoint(folder, KIND)
    grains = Grains(
        names=tuple(config["names"]),
        classes=tuple(
            ClassModel(ridge=Ridge(**checkpoint.below(tensors, f"class{number}")), **known)
            for number, known in enumerate(config["classes"])
        ),
        look=Ridge(**checkpoint.below(tensors, "look")),
        looks=tensors["looks"],
        look_centre=tensors["look_centre"],
        look_spread=tensors["look_spread"],
        clip_ids=tuple(config["clip_ids"]),
        labels=tuple(config["labels"]),
        onsets_s=tuple(tuple(times) for times in config["onsets_s"]),
        manifest=Path(config["manifest"]),
        manifest_sha256=config["manifest_sha256"],
    )
    return grains, config


def _tensors(part: str, ridge: Ridge) -> dict[str, Tensor]:
    return {f"{part}.{field.name}": torch.as_tensor(getattr(ridge, field.name)) for field in dataclasses.fields(Ridge)}
