"""Make shards and manifests from a list of clips.

Every data set is prepared in the same way. Each clip is made in a worker process that can be killed, staged under
``<out>/.staging``, and packed when its split is whole. Kill the command at any moment and run it again: the shards are
byte-identical to an unbroken run.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foleybench.prepare.engine import SplitPlan, parse_options, plan, prepare

__all__ = ["SplitPlan", "parse_options", "plan", "prepare"]


def __getattr__(name: str) -> Any:
    """Import the engine when it is asked for: a worker lives in this package too, and starts without it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from foleybench.prepare import engine

    return getattr(engine, name)
