"""An alignment classifier of your own, made by ``foleybench train``.

Layers:
    probability: () float32: that the audio belongs to the video, and in time.

For those who have no official weights, or whose clips are not like VGGSound's. The file is
``align_classifier.safetensors`` in the weights folder (``FOLEYBENCH_WEIGHTS``), which may simply be the run folder of
``foleybench train align-classifier``. The file states its training data and accuracy, and its hash is in every
result; two results compare only if their hashes agree.

Changes: 2 sees videos of more than 25 frames a second at their own time (50 were seen 20 ms early).

Sources: ours; the mix of pairs as recalled from Luo et al., "Diff-Foley", NeurIPS 2023.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleybench.api.weights import Weights
from foleybench.encoders._nets.align_judge import judge_encoder
from foleybench.errors import FoleyError

if TYPE_CHECKING:
    from foleybench.encoders._nets.mini_nets import AlignNet

KIND = "align_classifier"
# Limits on the net's sizes: a file from elsewhere must not make us build anything huge.
_SIZES = {"n_follow": 512, "n_heads": 64, "n_kind": 512, "scale": 16}

WEIGHTS = Weights(
    filename=f"{KIND}.safetensors",
    url=None,
    sha256=None,
    size_bytes=None,
    licence="yours",
    made_by="foleybench train align-classifier",
)


def load_weights(path: Path) -> AlignNet:
    """Return the network of a file that ``foleybench train align-classifier`` wrote.

    Raises:
        FoleyError: The file is not such a classifier, or does not hold exactly the tensors of its stated network.
    """
    from foleybench.encoders._nets.mini_nets import AlignNet, read_facts, unpack

    facts = read_facts(path)
    sizes: Any = facts.get("net")
    if facts.get("kind") != KIND or not _plausible(sizes):
        raise FoleyError(f"{path} is no alignment classifier. Make one with `{WEIGHTS.made_by}`.")
    net = AlignNet(**sizes)
    unpack(net, path)
    return net


def _plausible(sizes: Any) -> bool:
    if not isinstance(sizes, dict) or set(sizes) != set(_SIZES):
        return False
    whole = all(type(sizes[name]) is int and 0 < sizes[name] <= most for name, most in _SIZES.items())
    return whole and sizes["n_follow"] % sizes["n_heads"] == 0


ENCODER = dataclasses.replace(judge_encoder("align_trained", weights=WEIGHTS, load=load_weights), version=2)
