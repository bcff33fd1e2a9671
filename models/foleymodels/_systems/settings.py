"""Define settings that all systems share: frozen features, generator, options."""

from __future__ import annotations

import dataclasses
from typing import Any

from foleymodels._alignment.settings import AlignmentSettings, StageOptions
from foleymodels._flow.settings import FlowSettings
from foleymodels._parts.settings import Subject, amount
from foleymodels._training.settings import RunOptions


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeatureSettings(AlignmentSettings):
    """The settings of the frozen frame features, ``cavp`` by default: the same for all compared systems."""

    stage1: str = dataclasses.field(default="cavp", metadata=AlignmentSettings.__dataclass_fields__["stage1"].metadata)

    @classmethod
    def sizes(cls) -> dict[str, AlignmentSettings]:
        """Return the settings of every size; ``cavp`` rebuilds no audio, so there is no target of its own."""
        changed = {"stage1": "cavp", "audio_target": "mel"}
        plain = {size: dataclasses.asdict(settings) for size, settings in AlignmentSettings.sizes().items()}
        return {size: cls(**{**values, **changed}) for size, values in plain.items()}


@dataclasses.dataclass(frozen=True, kw_only=True)
class GeneratorSettings(Subject):
    """Size and training of a system's generator, whatever it generates.

    Crops, batch and steps are those of Foley-Flow's flow at the size, so that all systems see as many clips.

    Attributes:
        net_dim: Width of the network.
        net_blocks: Its blocks.
        net_heads: Its heads.
        net_hidden: Width of its feed-forward parts.
        net_crop_s: Length of training examples.
        net_steps: Optimiser steps.
        net_batch: Batch size.
        net_rate: Peak learning rate.
        net_ema: Decay of the averaged weights.
        net_drop_p: Share of examples trained without the video.
    """

    net_dim: int = 96
    net_blocks: int = 4
    net_heads: int = 4
    net_hidden: int = 192
    net_crop_s: float = 2.08
    net_steps: int = amount(900)
    net_batch: int = 16
    net_rate: float = 2e-3
    net_ema: float = 0.99
    net_drop_p: float = 0.1

    @classmethod
    def sizes(cls) -> dict[str, Any]:
        """Return the settings of every size: as ``shapes`` say, trained as the flow of that size."""
        flows, shapes = FlowSettings.sizes(), cls.shapes()
        return {size: cls(**trained_like(flow), **shapes.get(size, {})) for size, flow in flows.items()}

    @classmethod
    def shapes(cls) -> dict[str, dict[str, Any]]:
        """Return by size the fields that differ from the defaults, beside those of ``trained_like``."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetSettings(GeneratorSettings):
    """Size, training and sampling of a system's generator; systems subclass it for what is theirs.

    Attributes:
        nfe: Default number of network evaluations.
        guidance: Default guidance scale.
    """

    nfe: int = 16
    guidance: float = 2.5

    @classmethod
    def shapes(cls) -> dict[str, dict[str, Any]]:
        """Return by size the fields that differ from the defaults, beside those of ``trained_like``."""
        large = {"net_dim": 512, "net_blocks": 12, "net_heads": 8, "net_hidden": 1024}
        larger = {"net_dim": 768, "net_blocks": 12, "net_heads": 12, "net_hidden": 1536}
        return {"base": large, "std16k": larger, "paper": larger}


def trained_like(flow: FlowSettings) -> dict[str, Any]:
    """Return the fields of ``GeneratorSettings`` with which as many crops are seen as a flow sees."""
    return {
        "net_crop_s": flow.flow_crop_s,
        "net_steps": flow.flow_steps,
        "net_batch": flow.flow_batch,
        "net_rate": flow.flow_rate,
        "net_ema": flow.ema_decay,
    }


@dataclasses.dataclass(frozen=True, kw_only=True)
class SystemOptions(StageOptions):
    """Options of a run; an option that is called like a part names a folder to take the trained part from.

    Attributes:
        codec: Folder of a trained codec to use instead of training one.
        stage: Name of the part to stop after (``alignment``, ``codec``); empty to train all.
    """

    codec: str = ""
    stage: str = ""


def part_options(options: type[SystemOptions]) -> set[str]:
    """Return the options that name folders of trained parts."""
    return options.__dataclass_fields__.keys() - RunOptions.__dataclass_fields__.keys() - {"stage"}
