"""MaskVAT (Pascual et al., arXiv 2407.10387): its AdaLN variant, compact.

A bidirectional transformer fills masked codes of a residual codec, with a modulation of its own for every frame.
``MODEL_CARD.md`` says what is kept, what is smaller and what is unknown.
"""

from foleybench.api.model import Model
from foleymodels.maskvat.system import SYSTEM

MODEL = Model(
    title="MaskVAT core",
    kind="model",
    sees=frozenset({"video"}),
    licence="MIT",
    description="Fills masked codes of a residual codec by a transformer that is modulated frame by frame.",
    build=SYSTEM.build,
    train=SYSTEM.train,
    check=SYSTEM.check,
)
