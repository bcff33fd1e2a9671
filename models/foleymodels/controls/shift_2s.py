"""Control: the real audio 2 s late.

Right in everything but time.
"""

from __future__ import annotations

from foleybench.api.model import Model
from foleymodels.controls._change import late

MODEL = Model(
    title="Ground truth, 2 s late",
    kind="control",
    sees=frozenset({"audio"}),
    licence="MIT",
    description="The real audio delayed by 2 s: right in everything but time.",
    build=lambda context: late(2.0),
)
