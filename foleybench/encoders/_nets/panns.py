"""Make an encoder of a PANNs Cnn14, at any sample rate."""

from __future__ import annotations

from foleybench.api.encoder import Encode, Encoder
from foleybench.api.weights import Weights, require
from foleybench.encoders._inputs.spectra import MelGrid


def panns_encoder(name: str, *, grid: MelGrid, weights: Weights) -> Encoder:
    """Return the encoder.

    The mean (DC) of the clip is removed, then the whole clip goes in, without padding to 10 s. Audio shorter than 32
    frames is zero-padded to that: with fewer the net's poolings leave nothing and the peers raise.

    Args:
        name: Registry name of the encoder.
        grid: Times and frequencies of the net's spectrogram.
        weights: The published file.
    """

    def build(device: str) -> Encode:
        path = require(name, weights)
        from foleybench.encoders._nets import cnn14

        return cnn14.encode_with(cnn14.load_weights(cnn14.new_net(grid), path), device)

    return Encoder(
        version=1,
        rate_hz=grid.rate_hz,
        layers={"logits": (527,), "embedding": (2048,)},
        licence="MIT (code), CC-BY-4.0 (weights)",
        source="qiuqiangkong/audioset_tagging_cnn@d2f4b8c",
        weights=weights,
        build=build,
    )
