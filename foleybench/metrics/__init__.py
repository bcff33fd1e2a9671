"""Metrics: one file each; the contract is ``foleybench.api.metric``."""

from typing import Any

from foleybench.api.metric import ClipView, Metric, Need, Pool, Stat
from foleybench.stats.pools import MeanOf, mean_of, one_statistic

__all__ = ["ClipView", "MeanOf", "Metric", "Need", "Pool", "Stat", "mean_of", "one_statistic"]


def __getattr__(name: str) -> Any:
    """Raise an error that names the new place of ``Accumulator``."""
    if name == "Accumulator":
        raise ImportError("foleybench.metrics.Accumulator moved: write `from foleybench import Accumulator`.")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
