"""FoleyGen (Mei et al. 2023) as a compact core.

Residual codes in the delay pattern, with three visual masks. ``MODEL_CARD.md`` says what is kept, what is smaller and
what is not known.
"""

from foleybench.api.model import Model
from foleymodels.foleygen.system import SYSTEM

MODEL = Model(
    title="FoleyGen core",
    kind="model",
    sees=frozenset({"video"}),
    licence="MIT",
    description="A decoder that writes residual codes in the delay pattern, with cross-attention to frame features.",
    build=SYSTEM.build,
    train=SYSTEM.train,
    check=SYSTEM.check,
)
