"""V2A-Mapper (Wang et al. 2024): one vector from video to sound.

A frozen mean video vector is mapped to a vector of sound, from which a flow that never sees video makes the audio.
``MODEL_CARD.md`` says what is kept, what is smaller and what is unknown.
"""

from foleybench.api.model import Model
from foleymodels.v2a_mapper.system import SYSTEM

MODEL = Model(
    title="V2A-Mapper core",
    kind="model",
    sees=frozenset({"video"}),
    licence="MIT",
    description="Maps one vector of the video to one vector of sound, for a flow that was trained on sound alone.",
    build=SYSTEM.build,
    train=SYSTEM.train,
    check=SYSTEM.check,
)
