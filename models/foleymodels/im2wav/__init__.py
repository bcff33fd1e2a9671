"""Im2Wav (Sheffer and Adi 2023) as a compact core.

Two levels of codes, told of the nearest frame. ``MODEL_CARD.md`` says what is kept, what is smaller and
what is not known.
"""

from foleybench.api.model import Model
from foleymodels.im2wav.system import SYSTEM

MODEL = Model(
    title="Im2Wav core",
    kind="model",
    sees=frozenset({"video"}),
    licence="MIT",
    description="Coarse codes told of their nearest frame, then fine codes told of the coarse ones.",
    build=SYSTEM.build,
    train=SYSTEM.train,
    check=SYSTEM.check,
)
