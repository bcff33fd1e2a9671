"""Oracle: VATT that is told the true caption of every clip.

The caption names the sound's class, which other systems must guess from the video: a track of its own, never ranked.
"""

from foleybench.api.model import Model
from foleymodels.vatt.system import WITH_TRUE_CAPTIONS

MODEL = Model(
    title="VATT core, true captions",
    kind="oracle",
    sees=frozenset({"video", "events"}),
    licence="MIT",
    description="The same network that reads the clip's own caption, which gives the class away.",
    build=WITH_TRUE_CAPTIONS.build,
    train=WITH_TRUE_CAPTIONS.train,
)
