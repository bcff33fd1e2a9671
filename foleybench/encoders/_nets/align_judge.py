"""Make an ``AlignNet`` an encoder of audio-video alignment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from foleybench.api.encoder import Encode, Encoder, Features, Signal, one_by_one
from foleybench.api.weights import Weights, require

if TYPE_CHECKING:
    from foleybench.encoders._nets.mini_nets import AlignNet


def judge_encoder(name: str, *, weights: Weights, load: Callable[[Path], AlignNet]) -> Encoder:
    """Return the encoder whose one layer is the probability that a clip's audio belongs to its video, and in time.

    Args:
        name: Registry name of the encoder.
        weights: Its file.
        load: From the file to the network with its weights.
    """
    return Encoder(
        version=1,
        rate_hz=16000,
        modality="pair",
        layers={"probability": ()},
        licence="MIT",
        source="foleybench",
        weights=weights,
        build=lambda device: _judging(load(require(name, weights)), device),
    )


def _judging(net: AlignNet, device: str) -> Encode:
    import torch

    from foleybench.encoders._inputs.frame_rate import frames_of
    from foleybench.encoders._nets.mini_nets import audio_input, frames_input

    net.to(device)

    @torch.inference_mode()
    def encode_one(signal: Signal) -> Features:
        frames = torch.from_numpy(frames_input(*frames_of(signal), signal.duration_s)).to(device)
        audio = torch.from_numpy(audio_input(signal.audio)).to(device)
        logit = net(audio[None], frames[None].float() / 255.0)
        return {"probability": torch.sigmoid(logit.float())[0].cpu().numpy()}

    return one_by_one(encode_one)
