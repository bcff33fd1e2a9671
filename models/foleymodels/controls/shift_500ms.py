"""Control: the real audio 500 ms late.

Right in everything but time.
"""

from __future__ import annotations

from foleybench.api.model import Model
from foleymodels.controls._change import late

MODEL = Model(
    title="Ground truth, 500 ms late",
    kind="control",
    sees=frozenset({"audio"}),
    licence="MIT",
    description="The real audio delayed by 500 ms: right in everything but time.",
    build=lambda context: late(0.5),
)
