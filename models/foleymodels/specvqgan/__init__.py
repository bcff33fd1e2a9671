"""SpecVQGAN (Iashin and Rahtu 2021) as a compact core.

A grid of codes, column by column. ``MODEL_CARD.md`` says what is kept, what is smaller and what is not known.
"""

from foleybench.api.model import Model
from foleymodels.specvqgan.system import SYSTEM

MODEL = Model(
    title="SpecVQGAN core",
    kind="model",
    sees=frozenset({"video"}),
    licence="MIT",
    description="A GPT over the codes of a mel grid, column by column, after a prefix of frame features.",
    build=SYSTEM.build,
    train=SYSTEM.train,
    check=SYSTEM.check,
)
