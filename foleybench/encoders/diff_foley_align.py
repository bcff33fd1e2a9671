"""Diff-Foley's alignment classifier, behind the Align Acc that papers quote.

Layers:
    probability: (1,) float32: that the audio is aligned with the video, from the mean of the latent, so that it is
        always the same number; of shape (0,) when the clip is too short for the classifier.
    probability_sampled: (1,) float32: the same from one draw of the latent, as Diff-Foley computes it, with one random
        generator per clip, always of seed 0; (0,) likewise.

It is given 512 spectrogram frames (8.19 s) and 32 CAVP frames (8 s); nothing is padded, since the classifier was
trained without padding. 16 kHz; magnitude STFT 1024, hop 256, 128 Slaney bands from 125 to 7600 Hz;
``(20 log10(x) + 80) / 100`` cut to [0, 1]; ends are mirrored, as librosa 0.8.0 does, which Diff-Foley pins (newer
versions pad with zeros).

Diff-Foley seeds torch once and draws one batch after the other in the order of ``os.listdir``, so its probability of a
clip depends on the clip's place in that list. No order-free encoder can return that number: ``as_published`` does it
for a list in a given order.

Sources: Luo et al., "Diff-Foley", NeurIPS 2023; luosiallen/Diff-Foley@0ba1e8a evaluation/ and
diff_foley/modules/double_guidance/alignment_classifier_metric.py.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from foleybench.api.encoder import ANY, Encode, Encoder, Features, Signal
from foleybench.api.weights import Weights, require
from foleybench.clips import AudioArray
from foleybench.encoders._inputs.slaney import slaney_filters
from foleybench.media.audio import require_finite

if TYPE_CHECKING:
    from torch import Tensor

    from foleybench.encoders._nets.diff_foley_nets import AlignmentClassifier

RATE_HZ = 16000
N_FFT, HOP, N_BANDS = 1024, 256, 128
LOW_HZ, HIGH_HZ = 125.0, 7600.0
# The classifier's input of a clip: spectrogram frames, and CAVP frames.
N_FRAMES, N_VIDEO_FRAMES = 512, 32
NOISE_SHAPE = (4, 16, 64)
PUBLISHED_BATCH = 64
_GPU_BATCH = 16

WEIGHTS = Weights(
    filename="eval_classifier.ckpt",
    url="https://huggingface.co/SimianLuo/Diff-Foley/resolve/main/diff_foley_ckpt/eval_classifier.ckpt",
    sha256=None,
    size_bytes=None,
    licence="Apache-2.0",
)


def new_net() -> AlignmentClassifier:
    """Return the network with random weights, in evaluation mode."""
    from foleybench.encoders._inputs.loading import with_random_weights
    from foleybench.encoders._nets.diff_foley_nets import AlignmentClassifier

    return with_random_weights(AlignmentClassifier)


def load_weights(path: Path) -> AlignmentClassifier:
    """Return the network with the weights of an official file.

    Diff-Foley itself loads this file without checking that nothing is missing; a wrong file then scores at random.

    Raises:
        FoleyError: The file does not hold exactly the tensors of this architecture.
    """
    from foleybench.encoders._inputs.loading import load_whole

    return load_whole(new_net, path, inside="state_dict", without="module.")


def spectrogram(audio: AudioArray, pad: Literal["reflect", "constant"] = "reflect") -> npt.NDArray[np.float32]:
    """Return Diff-Foley's spectrogram of audio.

    Args:
        audio: Shape (N,) at 16 kHz.
        pad: Padding beyond the ends: ``reflect`` as librosa 0.8.0 has it, or ``constant`` (zeros) as newer ones.

    Returns:
        Shape (128, 1 + N // 256), values in [0, 1].
    """
    samples = np.pad(np.asarray(audio, dtype=np.float64), N_FFT // 2, mode=pad)
    frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP]
    spectrum = np.fft.rfft(frames * _window(), axis=1).astype(np.complex64)
    mel = _filters() @ np.abs(spectrum).T
    decibels = 20.0 * np.log10(np.maximum(mel, np.float32(1e-5)))
    return np.clip((decibels - 20.0 + 100.0) / 100.0, 0.0, 1.0).astype(np.float32)


@functools.cache
def _window() -> npt.NDArray[np.float64]:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi / N_FFT * np.arange(N_FFT)))


@functools.cache
def _filters() -> npt.NDArray[np.float32]:
    return slaney_filters(RATE_HZ, N_FFT, N_BANDS, LOW_HZ, HIGH_HZ)


def judged(signal: Signal) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None:
    """Return the classifier's input of a clip, or None when the clip is too short.

    Returns:
        Spectrogram (128, 512) and CAVP features (32, 512).
    """
    require_finite(signal.audio)
    pictures = np.asarray(signal.features["cavp_video"]["frames"], dtype=np.float32)
    # Diff-Foley drops the last sample, so that a whole number of hops does not give one frame more.
    audio = signal.audio[:-1]
    if 1 + len(audio) // HOP < N_FRAMES or len(pictures) < N_VIDEO_FRAMES:
        return None
    return spectrogram(audio)[:, :N_FRAMES], pictures[:N_VIDEO_FRAMES]


def as_published(
    net: AlignmentClassifier,
    spectrograms: Sequence[npt.NDArray[np.float32]],
    pictures: Sequence[npt.NDArray[np.float32]],
    *,
    batch_size: int = PUBLISHED_BATCH,
    seed: int = 0,
) -> npt.NDArray[np.float32]:
    """Return the probabilities as Diff-Foley's ``evaluation/align_acc.py`` draws them, for a list in its order.

    One seed before the first batch, then one draw per batch, on the CPU; so a clip's draw depends on how many come
    before it in the list. (The size of the batches does not matter: torch draws them from one stream.) Its Align Acc
    is the percentage of these that are above 0.5; ``torch.round`` takes 0.5 itself to 0.

    Args:
        net: From ``load_weights``.
        spectrograms: Shape (128, T >= 512) each, as its ``.npy`` files hold them, in the order of ``os.listdir``.
        pictures: CAVP features of shape (L >= 32, 512) each, as the ``feat`` of its ``.npz`` files, in the same order.
        batch_size: Its configuration says 64.
        seed: Its script says 0.

    Returns:
        Shape (n,).
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    device = net.scale_factor.device
    found = []
    with torch.inference_mode():
        for start in range(0, len(spectrograms), batch_size):
            sounds = np.stack([one[:, :N_FRAMES] for one in spectrograms[start : start + batch_size]])
            video = np.stack([one[:N_VIDEO_FRAMES] for one in pictures[start : start + batch_size]])
            noise = torch.randn(len(sounds), *NOISE_SHAPE, generator=generator).to(device)
            found.append(net(torch.from_numpy(sounds).to(device), torch.from_numpy(video).to(device), noise).cpu())
    return np.asarray(torch.cat(found).numpy()) if found else np.zeros(0, dtype=np.float32)


def _build(device: str) -> Encode:
    import torch

    net = load_weights(require("diff_foley_align", WEIGHTS)).to(device)
    net.first_stage_model.decoder = None  # type: ignore[assignment]
    size = 1 if torch.device(device).type == "cpu" else _GPU_BATCH
    noise = torch.randn(1, *NOISE_SHAPE, generator=torch.Generator().manual_seed(0)).to(device)

    @torch.inference_mode()
    def probabilities(clips: Sequence[tuple[Any, Any]]) -> list[Features]:
        # On a GPU always batches of one size, on a CPU clip by clip: neighbours cannot change a bit.
        sounds, pictures = (torch.zeros(size, *np.shape(part)) for part in clips[0])
        for row, (sound, picture) in enumerate(clips):
            sounds[row], pictures[row] = torch.from_numpy(sound), torch.from_numpy(picture)
        mean, deviation = net.moments(sounds.to(device))
        latents: dict[str, Tensor] = {"probability": mean, "probability_sampled": mean + deviation * noise}
        video = pictures.to(device)
        made = {name: net.probability(net.scale_factor * one, video) for name, one in latents.items()}
        found = {name: values.float().cpu().numpy() for name, values in made.items()}
        return [{name: values[row : row + 1].copy() for name, values in found.items()} for row in range(len(clips))]

    def encode(signals: Sequence[Signal]) -> list[Features]:
        clips = [judged(signal) for signal in signals]
        long_enough = [clip for clip in clips if clip is not None]
        batches = (long_enough[start : start + size] for start in range(0, len(long_enough), size))
        made = iter([row for batch in batches for row in probabilities(batch)])
        none = np.zeros(0, dtype=np.float32)
        return [{"probability": none, "probability_sampled": none} if clip is None else next(made) for clip in clips]

    return encode


ENCODER = Encoder(
    version=1,
    rate_hz=RATE_HZ,
    layers={"probability": (ANY,), "probability_sampled": (ANY,)},
    after=("cavp_video",),
    licence="Apache-2.0",
    source="luosiallen/Diff-Foley@0ba1e8a evaluation/align_acc.py",
    weights=WEIGHTS,
    build=_build,
)
