"""VAB (Su, Liu, Shlizerman, ICML 2024): a compact core.

Masked codes are filled after a prefix of one video frame a second; the same network is then fine-tuned by contrast.
``MODEL_CARD.md`` says what is kept, what is smaller and what is unknown.
"""

from foleybench.api.model import Model
from foleymodels.vab.system import SYSTEM

MODEL = Model(
    title="VAB core",
    kind="model",
    sees=frozenset({"video"}),
    licence="MIT",
    description="Fills masked codes of a residual codec after a prefix of one video frame a second.",
    build=SYSTEM.build,
    train=SYSTEM.train,
    check=SYSTEM.check,
)
