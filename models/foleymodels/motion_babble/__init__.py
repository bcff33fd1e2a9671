"""Baseline: a fixed mixture, as loud as the picture moves.

No network and no idea of what is seen: the level follows the largest local change between frames, with attacks at its
peaks. A column in which a model does not beat it does not ask for more than that; see MODEL_CARD.md.
"""

from foleybench.api.model import Model
from foleymodels._babble.settings import check_babble
from foleymodels.motion_babble.generate import build
from foleymodels.motion_babble.train import train

MODEL = Model(
    title="Motion babble",
    kind="baseline",
    sees=frozenset({"video"}),
    licence="MIT",
    description="Plays one mixture of 40 training clips, as loud as the largest local change between frames.",
    build=build,
    train=train,
    check=check_babble,
)
