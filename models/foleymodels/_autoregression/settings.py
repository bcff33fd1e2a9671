"""Define the settings of a network that writes codes."""

from __future__ import annotations

import dataclasses
from typing import Any

from foleybench.errors import UnknownNameError
from foleymodels._flow.settings import FlowSettings
from foleymodels._parts.code_sampling import CodeSampling
from foleymodels._parts.settings import Subject, amount
from foleymodels._systems.settings import trained_like


@dataclasses.dataclass(frozen=True, kw_only=True)
class WriterSettings(Subject):
    """Size, training and sampling of a network that writes codes; systems subclass it for what is theirs.

    Crops, batch and steps are those of Foley-Flow's flow at the size, so that all systems see as many clips.

    Attributes:
        net_dim: Width of the network.
        net_blocks: Its blocks.
        net_heads: Its heads.
        net_hidden: Width of its feed-forward parts.
        net_crop_s: Length of training examples, which is also the longest stretch that is written at once.
        net_steps: Optimiser steps.
        net_batch: Batch size.
        net_rate: Peak learning rate.
        net_ema: Decay of the averaged weights.
        net_drop_p: Share of examples trained without the video.
        guidance: Default guidance scale; 1 is none.
        temperature: Divides the logits.
        top_k: Number of most probable codes to draw from; 0 for all.
        top_p: Probability that the codes to draw from have together at least; 1 for all.
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
    guidance: float = 3.0
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    @classmethod
    def sizes(cls) -> dict[str, Any]:
        """Return the settings of every size: as ``shapes`` say, trained as the flow of that size."""
        flows, shapes = FlowSettings.sizes(), cls.shapes()
        return {size: cls(**trained_like(flow), **shapes.get(size, {})) for size, flow in flows.items()}

    @classmethod
    def shapes(cls) -> dict[str, dict[str, Any]]:
        """Return by size the fields that differ from the defaults, beside those of training."""
        raise NotImplementedError

    @property
    def sampling(self) -> CodeSampling:
        """How codes are drawn."""
        return CodeSampling(temperature=self.temperature, top_k=self.top_k, top_p=self.top_p)

    def check(self) -> None:
        """Refuse a way to draw without a meaning, and guidance of a network that never trains without the video."""
        _ = self.sampling
        if self.guidance != 1.0 and not self.net_drop_p:
            raise UnknownNameError(
                f"guidance={self.guidance} needs a network that also trained without the video: set net_drop_p above "
                "0, or guidance=1."
            )
