"""foleybench: the benchmark suite for video-to-audio (Foley) generation.

The names below are loaded when they are first used; everything else is reached through its own module.
"""

import importlib
from typing import TYPE_CHECKING, Any

from foleybench.runtime.version import PACKAGE_VERSION

if TYPE_CHECKING:
    from foleybench.artefacts.frame import results_frame
    from foleybench.clips import Clip, Clock, Event
    from foleybench.errors import FoleyError
    from foleybench.load import load_encoder, load_metric, load_model, load_protocol
    from foleybench.scoring.accumulator import Accumulator
    from foleybench.scoring.evaluate import EvalRequest, evaluate
    from foleybench.scoring.folders import score_folders
    from foleybench.shards.dataset import ShardDataset
    from foleybench.shards.loader import ClipLoader
    from foleybench.shards.stream import ShardStream

__version__ = PACKAGE_VERSION

# Public name -> the module that defines it.
_HOMES = {
    "Accumulator": "foleybench.scoring.accumulator",
    "Clip": "foleybench.clips",
    "ClipLoader": "foleybench.shards.loader",
    "Clock": "foleybench.clips",
    "EvalRequest": "foleybench.scoring.evaluate",
    "Event": "foleybench.clips",
    "FoleyError": "foleybench.errors",
    "ShardDataset": "foleybench.shards.dataset",
    "ShardStream": "foleybench.shards.stream",
    "evaluate": "foleybench.scoring.evaluate",
    "load_encoder": "foleybench.load",
    "load_metric": "foleybench.load",
    "load_model": "foleybench.load",
    "load_protocol": "foleybench.load",
    "results_frame": "foleybench.artefacts.frame",
    "score_folders": "foleybench.scoring.folders",
}

__all__ = [
    "Accumulator",
    "Clip",
    "ClipLoader",
    "Clock",
    "EvalRequest",
    "Event",
    "FoleyError",
    "ShardDataset",
    "ShardStream",
    "evaluate",
    "load_encoder",
    "load_metric",
    "load_model",
    "load_protocol",
    "results_frame",
    "score_folders",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
