"""Measure an alignment classifier's accuracy on whole clips."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from foleybench.encoders._nets.mini_nets import AlignNet
from foleybench.evaluators.align.fit import MIX
from foleybench.evaluators.align.pool import Pool, Pools
from foleybench.evaluators.mini.fit_align import moved

# The shifts of the control rows.
SHIFTS_S = (0.1, 0.5, 1.0, 2.0)


@torch.inference_mode()
def measure_align_trained(net: AlignNet, pools: Pools, device: str) -> dict[str, float]:
    """Return shares of pairs: those classified as aligned, and those classified right in the training's mix.

    Shifted audio is late, with silence before it, as in the control rows. Swapped audio is that of the next clip.

    Args:
        net: The classifier, in evaluation mode.
        pools: The validation split.
        device: Torch device name.
    """
    pool = pools.of_round(0)
    names = ("true", *(f"shifted_{shift}" for shift in SHIFTS_S), "swapped")
    aligned: dict[str, list[bool]] = {name: [] for name in names}
    for index in range(len(pool)):
        video_features = net.picture(torch.from_numpy(pool.pictures[index])[None].to(device).float() / 255.0)
        for name, sound in _sounds(pool, index).items():
            aligned[name].append(_judged(net, sound, video_features, device))
    taken = {name: float(np.mean(values)) for name, values in aligned.items()}
    late = float(np.mean([taken[f"shifted_{shift}"] for shift in SHIFTS_S]))
    right = MIX["true"] * taken["true"] + MIX["shifted"] * (1 - late) + MIX["swapped"] * (1 - taken["swapped"])
    return {**{f"aligned_{name}": value for name, value in taken.items()}, "accuracy": right}


def _sounds(pool: Pool, index: int) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    own = pool.sounds[index].astype(np.float32)
    found = {"true": own}
    found |= {f"shifted_{shift}": moved(own.copy(), round(shift * 100), roll=False) for shift in SHIFTS_S}
    found["swapped"] = pool.sounds[(index + 1) % len(pool)].astype(np.float32)
    return found


def _judged(
    net: AlignNet, sound: np.ndarray[tuple[int, ...], np.dtype[np.float32]], video_features: Tensor, device: str
) -> bool:
    audio_features = net.sound(torch.from_numpy(sound)[None].to(device))
    n = min(audio_features.shape[2], video_features.shape[2])
    return bool(net.compare(audio_features[:, :, :n], video_features[:, :, :n])[0] > 0)
