"""Foley-Flow (Mo and Song, arXiv 2603.08126): the reference model.

Masked video-audio alignment (``_alignment/vama.py``), then a flow conditioned frame by frame (``_flow``), then, when
asked, a head that needs one step. ``MODEL_CARD.md`` says what the paper leaves open and what is done here.
"""

from foleybench.api.model import Model
from foleymodels.foleyflow.generate import build
from foleymodels.foleyflow.train import check, train

MODEL = Model(
    title="Foley-Flow (GDCF)",
    kind="model",
    sees=frozenset({"video"}),
    licence="MIT",
    description="Masked video-audio alignment, then a variance-preserving flow on mel tokens, conditioned per frame.",
    build=build,
    train=train,
    check=check,
)
