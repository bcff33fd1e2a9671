"""List the shipped classifier's classes, in its logits' order."""

from __future__ import annotations

import functools

from foleybench.api.weights import require, shipped_mini

WEIGHTS = shipped_mini("mini_class")


@functools.cache
def mini_class_names() -> tuple[str, ...]:
    """Return the classes of SynthFoley that encoder ``mini_class`` knows."""
    from foleybench.encoders._nets.mini_nets import read_facts

    return tuple(read_facts(require("mini_class", WEIGHTS))["classes"])
