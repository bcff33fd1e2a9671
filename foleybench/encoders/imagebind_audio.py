"""ImageBind's embedding of audio, as av-benchmark makes it.

Layers:
    embedding: (1024,) float32: mean over three clips of 2 s of unit vectors, times the file's fixed factor (20); not of
        unit length itself. The score is the cosine with ``imagebind_video``.

16 kHz mono; three clips of 2 s at the start, the middle and the end of the audio (0, 3 and 6 s of 8 s; all three the
whole of audio of 2 s or less). Of each the mean is removed, in place, as the peer does: where clips overlap, the
later one is made of the altered samples. Kaldi filter banks: 128 bands, 25 ms Hann windows every 10 ms; cut or filled
with zeros to 204 frames, then minus -4.268, over 9.138. Audio shorter than one window is zero-padded to it.
Differences from the peer: it embeds the whole file, here the clip's scored part; of files with several channels it
takes the first, here the mean.

With pytorchvideo as av-benchmark pins it (@ae9cfc6); older ones start the clips at 0, 2 and 4 s. The weights may not be
used commercially; those of ``pe_av_audio`` may.

Sources: Girdhar et al., "ImageBind: One Embedding Space To Bind Them All", CVPR 2023;
facebookresearch/ImageBind@53680b0; hkchengrex/av-benchmark@050a5cd av_bench/data/audio_dataset.py;
facebookresearch/pytorchvideo@ae9cfc6 pytorchvideo/data/clip_sampling.py.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from foleybench.api.encoder import Encode, Encoder
from foleybench.api.weights import require
from foleybench.clips import AudioArray
from foleybench.encoders._nets.imagebind_weights import LICENCE, SOURCE, WEIGHTS
from foleybench.media.audio import fit_length, require_finite

if TYPE_CHECKING:
    from torch import Tensor

    from foleybench.encoders._nets.imagebind import PatchTower

RATE_HZ = 16000
CLIP_S = 2
N_CLIPS = 3
N_BANDS = 128
N_FRAMES = 204
WINDOW = 400
MEAN, SPREAD = -4.268, 9.138


def clip_starts(n_samples: int) -> list[int]:
    """Return the first sample of each of the three clips of audio of ``n_samples``.

    Example:
        >>> clip_starts(128000)
        [0, 48000, 96000]
        >>> clip_starts(16000)
        [0, 0, 0]
    """
    room = Fraction(max(n_samples / RATE_HZ - CLIP_S, 0))  # of a float, as the peer's: it can round a sample down
    return [int(room / (N_CLIPS - 1) * index * RATE_HZ) for index in range(N_CLIPS)]


def spectrograms(audio: AudioArray) -> npt.NDArray[np.float32]:
    """Return what the net is fed of audio (N,): shape (3, 1, 128, 204)."""
    import torch

    require_finite(audio)
    samples = torch.from_numpy(fit_length(audio, max(len(audio), WINDOW)).copy())[None]
    clips = []
    for start in clip_starts(len(audio)):
        part = samples[:, start : start + CLIP_S * RATE_HZ]
        part -= part.mean()
        clips.append(_filter_banks(part))
    return ((torch.stack(clips)[:, None] - MEAN) / SPREAD).numpy()


def _filter_banks(clip: Tensor) -> Tensor:
    import torch
    from torchaudio.compliance import kaldi

    settings = {"htk_compat": True, "use_energy": False, "window_type": "hanning", "dither": 0.0}
    with torch.autocast("cpu", enabled=False):
        banks = kaldi.fbank(
            clip, sample_frequency=RATE_HZ, num_mel_bins=N_BANDS, frame_length=25, frame_shift=10, **settings
        )
    return torch.nn.functional.pad(banks.T, (0, N_FRAMES - len(banks)))


def new_net() -> PatchTower:
    """Return the tower with random weights, in evaluation mode."""
    from foleybench.encoders._nets import imagebind

    return imagebind.audio_tower()


def encode_with(net: PatchTower, device: str) -> Encode:
    """Return the ``encode`` of the encoder with this tower."""
    from foleybench.encoders._inputs.batches import batched

    net = net.to(device)
    return batched(lambda signal: spectrograms(signal.audio), lambda clips: (net(clips),), device)


def _build(device: str) -> Encode:
    path = require("imagebind_audio", WEIGHTS)
    from foleybench.encoders._nets import imagebind

    return encode_with(imagebind.load_weights(new_net(), path), device)


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"embedding": (1024,)},
    licence=LICENCE,
    source=SOURCE,
    weights=WEIGHTS,
    build=_build,
)
