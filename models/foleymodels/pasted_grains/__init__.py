"""Baseline: pieces of training sound, pasted by linear regression.

No network: ridge regression on frame maps guesses the class, onsets or level; the sound is the nearest training
clip's. What a corpus must tell apart from a good model; see MODEL_CARD.md.
"""

from foleybench.api.model import Model
from foleymodels.pasted_grains.generate import build
from foleymodels.pasted_grains.train import train

MODEL = Model(
    title="Pasted grains",
    kind="baseline",
    sees=frozenset({"video"}),
    licence="MIT",
    description="Pastes pieces of the nearest training clip's sound where ridge regression on frame maps hears onsets.",
    build=build,
    train=train,
)
