"""Define the settings of a flow on mel tokens."""

from __future__ import annotations

import dataclasses

from foleybench.errors import UnknownNameError
from foleymodels._parts.settings import Subject, amount, choice


@dataclasses.dataclass(frozen=True, kw_only=True)
class FlowSettings(Subject):
    """The settings that decide a trained flow, beside the signal and its condition.

    Attributes:
        flow_dim: Width of the network.
        flow_blocks: Its blocks.
        flow_heads: Its heads.
        flow_hidden: Width of its feed-forward parts.
        refine_channels: Channels of the convolutions over time and frequency that sharpen its estimate; 0 for none.
        flow_crop_s: Length of training examples.
        flow_steps: Optimiser steps.
        flow_batch: Batch size.
        flow_rate: Peak learning rate.
        ema_decay: Decay of the averaged weights.
        path: ``gvp`` (GDCF), ``gvp_learned`` (the same with its sampling times warped to equal error) or ``linear``
            (DCF).
        times: ``matched`` (paths see the same noise levels in training and in the sampler's steps, and have targets of
            the same size) or ``raw`` (one distribution of tau, steps equally far apart, targets as they come).
        condition: ``dynamic`` (frame by frame), ``static`` (mean over time) or ``none``.
        drop_p: Share of examples trained with the null condition.
        noise_mean: Mean of log(sigma / alpha) of training times.
        noise_spread: Its standard deviation.
        pure_noise_p: Share of training times at pure noise.
        nfe: Default number of network evaluations.
        guidance: Default guidance scale.
        sampler: ``euler`` or ``heun``.
    """

    flow_dim: int = 96
    flow_blocks: int = 4
    flow_heads: int = 4
    flow_hidden: int = 192
    refine_channels: int = 24
    flow_crop_s: float = 2.08
    flow_steps: int = amount(900)
    flow_batch: int = 16
    flow_rate: float = 2e-3
    ema_decay: float = 0.99
    path: str = choice("gvp", "gvp_learned", "linear")
    times: str = choice("matched", "raw")
    condition: str = choice("dynamic", "static", "none")
    drop_p: float = 0.1
    noise_mean: float = 0.4
    noise_spread: float = 1.2
    pure_noise_p: float = 0.1
    nfe: int = 8
    guidance: float = 2.5
    sampler: str = choice("euler", "heun")

    @classmethod
    def sizes(cls) -> dict[str, FlowSettings]:
        """Return the settings of every size."""
        base = cls(
            flow_crop_s=8.0, flow_dim=512, flow_blocks=12, flow_heads=8, flow_hidden=1024, flow_steps=12000,
            flow_batch=256, flow_rate=2e-4, refine_channels=64, ema_decay=0.9995, nfe=25, guidance=4.5,
        )  # fmt: skip
        std16k = dataclasses.replace(
            base, flow_dim=768, flow_heads=12, flow_hidden=1536, flow_steps=144000, flow_batch=128, flow_rate=1e-4,
            ema_decay=0.9999,
        )  # fmt: skip
        return {
            "tiny": cls(),
            "base": base,
            "std16k": std16k,
            "paper": dataclasses.replace(std16k, flow_crop_s=3.2),
        }

    def check(self) -> None:
        """Refuse raw times with a learned clock."""
        if self.path == "gvp_learned" and self.times == "raw":
            raise UnknownNameError("path=gvp_learned warps times by itself; it goes with times=matched only.")
