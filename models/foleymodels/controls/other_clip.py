"""Control: another clip's audio, of the same class.

Right in kind, wrong in time. Where no clip has a label, any other clip's audio; the row's title then says so.
"""

from __future__ import annotations

import dataclasses

from foleybench.api.model import BuildContext, Model
from foleymodels.controls._change import Control, OtherClips


def _build(context: BuildContext) -> Control:
    others = OtherClips(context, same_class=True)
    return Control(others, card=_WITHOUT_CLASSES if others.without_classes else None)


MODEL = Model(
    title="Another clip, same class",
    kind="control",
    sees=frozenset({"audio"}),
    licence="MIT",
    description="The real audio of another clip of the same class: right in kind, wrong in time.",
    build=_build,
)
_WITHOUT_CLASSES = dataclasses.replace(
    MODEL,
    title="Another clip",
    description="The real audio of another clip, of any kind, since no clip has a label.",
)
