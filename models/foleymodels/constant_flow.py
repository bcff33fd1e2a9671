"""Baseline: a flow on one vector a clip, its mean frame.

This is the worked example of a system: what is its own stands here, the rest is shared parts. How it differs from its
neighbours: ``unconditional`` sees nothing; ``foleyflow_static`` is given the mean over time of alignment features,
which were trained on when frames and audio change; this one has no alignment stage, and nothing in it has looked at
time. What it gets right of a clip is therefore what one blurred picture tells: mostly the class.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from foleybench.api.model import Model
from foleymodels._flow.system import FlowSystem

_SIDE = 4
_COLOURS = 3


def mean_frame(maps: Tensor, n_tokens: int) -> Tensor:
    """Return the mean colours of a clip in 4 x 4 cells, the same for every token.

    Args:
        maps: Frame maps, shape (m, cells, cells, 6) uint8; the first three quantities are the colours.
        n_tokens: Mel tokens of the clip.

    Returns:
        Shape (n_tokens, 48), in [-1, 1].
    """
    colours = maps[..., :_COLOURS].float().mean(0).permute(2, 0, 1) / 128.0 - 1.0
    return F.adaptive_avg_pool2d(colours, _SIDE).flatten().expand(n_tokens, -1)


SYSTEM = FlowSystem(
    name="constant_flow", width=_COLOURS * _SIDE**2, condition_of=mean_frame, forced={"condition": "static"}
)

MODEL = Model(
    title="Flow on the mean frame",
    kind="baseline",
    sees=frozenset({"video"}),
    licence="MIT",
    description="A flow on mel tokens that is given one vector a clip: the mean frame, and nothing of time.",
    build=SYSTEM.build,
    train=SYSTEM.train,
)
