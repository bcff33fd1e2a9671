"""A small flow of random weights, and clips and conditions for it."""

import numpy as np
import torch

from foleybench.clips import Clip
from foleymodels._flow.network import Flow
from foleymodels._flow.settings import FlowSettings
from foleymodels._parts.signal import SignalSettings

SIGNAL = SignalSettings(window_s=1.28, vocoder_iterations=2)
WIDTH = 3
SMALL = {"flow_dim": 16, "flow_heads": 2, "flow_blocks": 1, "flow_hidden": 16, "refine_channels": 4, "path": "linear"}


def random_flow(*, told_span=False, **more):
    torch.manual_seed(0)
    flow = Flow(FlowSettings(**{**SMALL, **more}), SIGNAL.mel, WIDTH, told_span=told_span)
    for value in flow.parameters():
        torch.nn.init.normal_(value, std=0.1)
    return flow.eval()


def clip(duration_s):
    return Clip(
        clip_id="a", source_id="a", label="", split="test", duration_s=duration_s, frames=None,
        frame_times_s=np.zeros(0), audio=None, rate_hz=16000,
    )  # fmt: skip


def conditions(clips, n_tokens):
    return torch.linspace(-1.0, 1.0, n_tokens)[None, :, None].expand(len(clips), -1, WIDTH)
