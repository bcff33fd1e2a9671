"""Load Synchformer's file, and cut clips into segments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from foleybench.api.weights import Weights

if TYPE_CHECKING:
    from foleybench.encoders._nets.synchformer_nets import Synchformer

# av-benchmark scores 8 s: 24 segments of 0.64 s, one every 0.32 s. Later parts of a clip are not used.
N_SEGMENTS = 24
SOURCE = "hkchengrex/av-benchmark@050a5cd av_bench/synchformer/"
LICENCE = "MIT"

WEIGHTS = Weights(
    filename="synchformer_state_dict.pth",
    url="https://github.com/hkchengrex/MMAudio/releases/download/v0.1/synchformer_state_dict.pth",
    sha256=None,
    size_bytes=None,
    licence=LICENCE,
    md5="5b2f5594b0730f70e41e549b7c94390c",
)


def new_net() -> Synchformer:
    """Return the network with random weights, in evaluation mode."""
    from foleybench.encoders._inputs.loading import with_random_weights
    from foleybench.encoders._nets.synchformer_nets import Synchformer

    return with_random_weights(Synchformer)


def load_weights(path: Path) -> Synchformer:
    """Return the network with the weights of av-benchmark's file, or of Synchformer's own (under ``model``).

    Raises:
        FoleyError: The file does not hold exactly the tensors of this architecture.
    """
    from foleybench.encoders._inputs.loading import load_whole

    return load_whole(new_net, path, inside="model")


def segment_starts(n: int, length: int, hop: int) -> range:
    """Return the starts of a clip's segments, in samples or frames.

    Example:
        >>> list(segment_starts(40, 16, 8)), len(segment_starts(250, 16, 8)), len(segment_starts(15, 16, 8))
        ([0, 8, 16, 24], 24, 0)
    """
    found = (n - length) // hop + 1 if n >= length else 0
    return range(0, min(found, N_SEGMENTS) * hop, hop)
