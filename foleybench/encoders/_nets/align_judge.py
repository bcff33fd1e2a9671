"""The encoder made of an ``AlignNet``: shared by the shipped judge and by those that users train."""

from __future__ import annotations

import torch

from foleybench.api.encoder import Encode, Features, Signal, one_by_one
from foleybench.encoders._nets.mini_nets import AlignNet, heard, seen
from foleybench.errors import FoleyError


def judging(name: str, net: AlignNet, device: str) -> Encode:
    """Return the encoder's function: the probability that each sound belongs to its picture, and in time.

    Args:
        name: Of the encoder, for messages.
        net: With its weights.
        device: Torch device name.
    """
    net.to(device)

    @torch.inference_mode()
    def encode_one(signal: Signal) -> Features:
        if signal.frames is None or signal.frame_times_s is None:
            raise FoleyError(f"{name} judges a sound with its picture; this clip came without one.")
        pictures = torch.from_numpy(seen(signal.frames, signal.frame_times_s, signal.duration_s)).to(device)
        sound = torch.from_numpy(heard(signal.audio)).to(device)
        logit = net(sound[None], pictures[None].float() / 255.0)
        return {"probability": torch.sigmoid(logit)[0].cpu().numpy()}

    return one_by_one(encode_one)
