"""Control: another clip's audio, of the same class.

Right in kind, wrong in time.
"""

from __future__ import annotations

from foleybench.api.model import Model
from foleymodels.controls._change import Control, OtherClips

MODEL = Model(
    title="Another clip, same class",
    kind="control",
    sees=frozenset({"audio"}),
    licence="MIT",
    description="The real audio of another clip of the same class: right in kind, wrong in time.",
    build=lambda context: Control(OtherClips(context, same_class=True)),
)
