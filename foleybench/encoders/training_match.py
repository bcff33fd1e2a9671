"""Search generated audio in the training audio, window by window.

Layers:
    correlation: (windows,) float32: how well the waveform of each audible window of 128 ms, one every 64 ms, is found
        in the training audio at any level: 1 for a copy.

The collection is ``training_audio.safetensors`` in the weights folder (``FOLEYBENCH_WEIGHTS``), made by
``foleybench train copying-index``; its hash is in every result. A copy that went through a vocoder, or lies under
another sound as loud, has another waveform and is not found: what is found is copied, what is not may be.

Sources: ours.
"""

from __future__ import annotations

from pathlib import Path

from foleybench.api.encoder import ANY, Encode, Encoder, Features, Signal, one_by_one
from foleybench.api.weights import Weights, require
from foleybench.encoders._inputs.audio_index import AudioIndex
from foleybench.encoders._inputs.sound_patches import RATE_HZ
from foleybench.errors import FoleyError

KIND = "training_audio"
TENSORS = ("audio", "places", "codes", "mean", "axes")

WEIGHTS = Weights(
    filename=f"{KIND}.safetensors",
    url=None,
    sha256=None,
    size_bytes=None,
    licence="that of the training audio",
    made_by="foleybench train copying-index",
)


def load_index(path: Path) -> AudioIndex:
    """Return the collection of a file that ``foleybench train copying-index`` wrote.

    Raises:
        FoleyError: The file is not such a collection.
    """
    from safetensors.numpy import load_file

    from foleybench.encoders._nets.mini_nets import read_facts

    tensors = load_file(path) if read_facts(path).get("kind") == KIND else {}
    if set(tensors) != set(TENSORS):
        raise FoleyError(f"{path} is no index of training audio. Make one with `{WEIGHTS.made_by}`.")
    return AudioIndex(**tensors)


def _build(device: str) -> Encode:
    index = load_index(require("training_match", WEIGHTS))

    def encode_one(signal: Signal) -> Features:
        return {"correlation": index.correlations(signal.audio)}

    return one_by_one(encode_one)


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"correlation": (ANY,)},
    licence="MIT",
    source="foleybench",
    weights=WEIGHTS,
    build=_build,
)
