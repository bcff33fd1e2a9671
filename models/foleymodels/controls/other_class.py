"""Control: another class's audio.

Real audio of a clip of another class: wrong in kind and time, real in quality.
"""

from __future__ import annotations

from foleybench.api.model import Model
from foleymodels.controls._change import Control, OtherClips

MODEL = Model(
    title="Another clip, other class",
    kind="control",
    sees=frozenset({"audio"}),
    licence="MIT",
    description="The real audio of a clip of another class: wrong in kind and in time, real in quality.",
    build=lambda context: Control(OtherClips(context, same_class=False)),
)
