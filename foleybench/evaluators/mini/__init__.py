"""Train the ``mini`` evaluators on SynthFoley's train split.

Both nets are trained in a few minutes on one core and shipped in the package. Train them again whenever the version of
the corpus changes.
"""

from __future__ import annotations

from foleybench.evaluators.mini.train import train_evaluators

__all__ = ["train_evaluators"]
