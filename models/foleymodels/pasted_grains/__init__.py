"""Baseline: pieces of training audio, pasted by linear regression.

No network: ridge regression on frame maps guesses the class, onsets or level; the audio is the nearest training
clip's. A useful corpus must separate this baseline from a good model; see MODEL_CARD.md.
"""

from foleybench.api.model import Model
from foleymodels.pasted_grains.generate import build
from foleymodels.pasted_grains.train import train

MODEL = Model(
    title="Pasted grains",
    kind="baseline",
    sees=frozenset({"video"}),
    licence="MIT",
    description="Pastes pieces of the nearest training clip's audio at onsets that ridge regression predicts.",
    build=build,
    train=train,
)
