"""Make the index of training audio that copying is measured with.

``foleybench train copying-index`` writes it.
"""

from __future__ import annotations

from foleybench.evaluators.copying.build import build_copying_index

__all__ = ["build_copying_index"]
