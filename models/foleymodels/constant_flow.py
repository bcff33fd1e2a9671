"""Baseline: a flow on one vector a clip, its mean frame.

This is the worked example of a system: only its own parts stand here, the rest is shared. ``unconditional`` has no
condition; ``foleyflow_static`` is given the mean over time of alignment features, which were trained on the times of
changes; this system has no alignment stage and no part that uses time. So it can only get right what one blurred frame
reveals: mostly the class.
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
    description="A flow on mel tokens that is given one vector a clip: the mean frame, without time.",
    build=SYSTEM.build,
    train=SYSTEM.train,
)
