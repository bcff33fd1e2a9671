"""Seeing and Hearing (Xing et al. 2024): guide a sound-only generator.

A flow that never saw video is steered while it samples: after a step, the point climbs towards what an audio-visual
aligner finds like the video. ``MODEL_CARD.md`` says what is kept, what is smaller and what is unknown.
"""

from foleybench.api.model import Model
from foleymodels.seeing_hearing.system import SYSTEM

MODEL = Model(
    title="Seeing & Hearing core",
    kind="model",
    sees=frozenset({"video"}),
    licence="MIT",
    description="Steers a flow trained on sound alone by the gradient of an audio-visual aligner of 1 s crops.",
    build=SYSTEM.build,
    train=SYSTEM.train,
    check=SYSTEM.check,
)
