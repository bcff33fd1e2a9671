"""CAVP: both towers against Diff-Foley's own class, whose building block (mmcv's ConvModule) is rebuilt here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from agreement import Array, Case, array, peer_modules, random_weights
from torch import Tensor, nn

from foleybench.encoders import cavp_video

PEER = "luosiallen/Diff-Foley"


class ConvModule(nn.Module):
    """Convolution, batch norm, ReLU, as mmcv's class of this name makes them of the arguments that Diff-Foley gives."""

    def __init__(self, *sizes: Any, act_cfg: Any = None, **settings: Any) -> None:
        super().__init__()
        for name in ("conv_cfg", "norm_cfg"):
            settings.pop(name, None)
        self.conv = nn.Conv3d(*sizes, **settings)
        self.norm_name = "bn"
        self.bn = nn.BatchNorm3d(self.conv.out_channels)
        self.activate = nn.ReLU() if act_cfg is not None else None

    @property
    def norm(self) -> nn.Module:
        """The batch norm, by its other name."""
        return self.bn

    def forward(self, x: Tensor) -> Tensor:
        """Return maps."""
        out = self.bn(self.conv(x))
        return out if self.activate is None else self.activate(out)


@contextmanager
def cavp(checkout: Path) -> Iterator[nn.Module]:
    """Give Diff-Foley's own CAVP with random weights."""
    absent = ("mmcv", "mmcv.cnn", "mmcv.runner", "mmcv.utils")
    with peer_modules(checkout / "inference", absent):
        block = ModuleType("mmcv.cnn")
        fakes = {"ConvModule": ConvModule, "build_activation_layer": lambda settings: nn.ReLU()}
        for name in ("NonLocal3d", "constant_init", "kaiming_init"):
            fakes[name] = None
        block.__dict__.update(fakes)
        sys.modules["mmcv.cnn"] = block
        sys.modules["mmcv.utils"]._BatchNorm = nn.BatchNorm3d
        from model.cavp_model import CAVP_Inference

        yield random_weights(CAVP_Inference("Slowonly_pool", "cnn14_pool", 512))


def video(checkout: Path) -> tuple[Array, Array]:
    """Eight frames of 64 pixels through the video tower."""
    frames = torch.from_numpy(np.random.default_rng(0).random((8, 3, 64, 64), dtype=np.float32))
    with cavp(checkout) as theirs:
        ours = cavp_video.new_net()
        ours.load_state_dict(theirs.state_dict())
        return array(ours.video(frames)), array(theirs.encode_video(frames[None], normalize=True, pool=False)[0])


def sound(checkout: Path) -> tuple[Array, Array]:
    """A spectrogram of 64 frames through the audio tower."""
    spectrogram = torch.from_numpy(np.random.default_rng(0).random((1, 128, 64), dtype=np.float32))
    with cavp(checkout) as theirs:
        ours = cavp_video.new_net()
        ours.load_state_dict(theirs.state_dict())
        wanted = theirs.encode_spec(spectrogram, normalize=True, pool=False)
        return array(nn.functional.normalize(ours.spec_encoder(spectrogram), dim=-1)), array(wanted)


CASES = (
    Case(encoder="cavp_video", what="frames (8, 512) of 64 px", peer=PEER, measure=video),
    Case(encoder="cavp_video", what="audio tower, not used by the metric", peer=PEER, measure=sound),
)
