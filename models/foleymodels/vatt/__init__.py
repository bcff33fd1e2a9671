"""VATT (Liu, Su, Shlizerman, arXiv 2411.05679): a compact core.

Masked codes are filled after a prefix of five video frames a second, by an encoder of several ways and a decoder.
``MODEL_CARD.md`` says what is kept, what is smaller and what is unknown.
"""

from foleybench.api.model import Model
from foleymodels.vatt.system import SYSTEM

MODEL = Model(
    title="VATT core",
    kind="model",
    sees=frozenset({"video"}),
    licence="MIT",
    description="Fills masked codes of a residual codec after a prefix of five video frames a second.",
    build=SYSTEM.build,
    train=SYSTEM.train,
    check=SYSTEM.check,
)
