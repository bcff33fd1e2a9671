"""Metrics: one file each; the contract is ``foleybench.api.metric``."""

from typing import TYPE_CHECKING, Any

from foleybench.api.metric import ClipView, Metric, Need, Pool, Stat
from foleybench.stats.pools import MeanOf, mean_of, value_of

if TYPE_CHECKING:
    from foleybench.scoring.accumulator import Accumulator as Accumulator

__all__ = ["ClipView", "MeanOf", "Metric", "Need", "Pool", "Stat", "mean_of", "value_of"]


def __getattr__(name: str) -> Any:
    """Give ``Accumulator`` too: it needs what needs this package, so it is imported when it is asked for."""
    if name == "Accumulator":
        from foleybench.scoring import accumulator

        return accumulator.Accumulator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
