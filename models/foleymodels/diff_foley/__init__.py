"""Diff-Foley (Luo et al. 2023): cross-attention diffusion on contrastive features.

``MODEL_CARD.md`` says what is kept, what is smaller and what is unknown.
"""

from foleybench.api.model import Model
from foleymodels.diff_foley.system import SYSTEM

MODEL = Model(
    title="Diff-Foley core",
    kind="model",
    sees=frozenset({"video"}),
    licence="MIT",
    description="Diffuses mel tokens with cross-attention to contrastive features, and is guided twice.",
    build=SYSTEM.build,
    train=SYSTEM.train,
    check=SYSTEM.check,
)
