"""Train ``mini_align`` on true, shifted and swapped pairs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleybench.encoders._nets.mini_nets import FRAME_HZ, RATIO, AlignNet
from foleybench.evaluators.mini.material import VERSIONS, TrainingMaterial
from foleybench.runtime.progress import Progress

N_PAIRS = 8
# Shifted versions of each clip's sound in a step, and how far away in the batch the sounds of other classes are.
N_SHIFTED = 3
OTHERS = (2, 4, 6, 8)
# Frames of a clip that are used in a step.
WINDOW = 64
PEAK_RATE = 2e-3
# Shifts, in frames of 10 ms, that count as not in time.
SHIFTS = (8, 150)
# The lowest frame rate of a video.
LOWEST_HZ = 12.5
MEASURED_SHIFTS_S = (0.1, 0.2, 0.5, 1.0)
# True pairs weigh as much as all false ones, so that an undecidable pair rather counts as true.
WEIGHTS = {"true": 0.5, "shifted": 0.25, "same_class": 0.1, "other": 0.15}

Indices = npt.NDArray[np.int64]


def fit_mini_align(material: TrainingMaterial, *, steps: int, rng: np.random.Generator) -> AlignNet:
    """Train the alignment network.

    Args:
        material: The train split.
        steps: Number of batches of 2 x 8 clips, each with its false pairs.
        rng: Draws clips, versions, shifts and masks. The caller seeds torch.
    """
    net = AlignNet()
    net.picture.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps, pct_start=0.15)
    for _ in Progress(range(steps), desc="mini_align"):
        loss = _loss(net, material, _choose(material, rng), rng)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
    return net.eval()


@torch.inference_mode()
def measure_mini_align(net: AlignNet, material: TrainingMaterial) -> dict[str, float]:
    """Return how often true, shifted and swapped pairs count as aligned, over all clips and those with onsets."""
    picture = torch.cat(
        [net.picture(pixels_of(part)) for part in np.array_split(material.pictures, _n_parts(material))]
    )
    clean = material.sounds[:, 0].astype(np.float32)
    sounds = {"true": clean, "true_vocoded": material.sounds[:, 1].astype(np.float32)}
    sounds |= {f"shifted_{s}": moved(clean, round(s * 100), roll=False) for s in MEASURED_SHIFTS_S}
    order = np.arange(len(material))
    sounds["same_class"] = clean[_another(material, order, same=True)]
    sounds["other_class"] = clean[_another(material, order, same=False)]
    found = {}
    for name, sound in sounds.items():
        audio_features = torch.cat([net.sound(part) for part in torch.split(torch.from_numpy(sound), 32)])
        n = min(audio_features.shape[2], picture.shape[2])
        yes = (net.compare(audio_features[:, :, :n], picture[:, :, :n]) > 0).numpy()
        found[f"aligned_{name}"] = float(yes.mean())
        if material.has_onsets.any():
            found[f"aligned_{name}_onsets"] = float(yes[material.has_onsets].mean())
    return found


def moved(sound: npt.NDArray[np.float32], frames: int, *, roll: bool) -> npt.NDArray[np.float32]:
    """Return spectrograms shifted in time, filled with silence or with the part from the other end.

    Args:
        sound: Spectrograms, shape (..., T).
        frames: Shift in spectrogram frames; positive is later.
        roll: Whether to fill with the other end.
    """
    out = np.roll(sound, frames, axis=-1)
    if not roll and frames:
        out[..., slice(0, frames) if frames > 0 else slice(frames, None)] = -1.0
    return out


def _loss(net: AlignNet, material: TrainingMaterial, chosen: Indices, rng: np.random.Generator) -> Tensor:
    sound = material.sounds[chosen, rng.integers(len(VERSIONS), size=len(chosen))].astype(np.float32)
    true = np.stack([dented(one, rng) for one in sound])
    shifted = [
        moved(one, draw_shift(rng, SHIFTS), roll=bool(rng.random() < 0.5)) for _ in range(N_SHIFTED) for one in sound
    ]
    n_pictures = material.pictures.shape[1]
    first = int(rng.integers(max(0, n_pictures - WINDOW) + 1))
    shown = np.stack([at_other_rate(n_pictures, rng)[first : first + WINDOW] for _ in chosen])
    pixels = pixels_of(material.pictures[chosen[:, None], shown], rng)
    # In two halves: tensors of less than 32 MB are reused by the allocator, larger ones are mapped anew every time.
    picture = torch.cat([net.picture(half) for half in torch.split(pixels, N_PAIRS)])
    window = slice(RATIO * first, RATIO * (first + picture.shape[2]))
    audio_features = net.sound(torch.from_numpy(np.concatenate([true, np.stack(shifted)])[:, :, window]))
    n = min(audio_features.shape[2], picture.shape[2])
    picture, audio_features = picture[:, :, :n], audio_features[:, :, :n]
    in_time, *late = audio_features.split(len(chosen))
    partner = np.arange(len(chosen)).reshape(-1, 2)[:, ::-1].reshape(-1).copy()
    # The frames cost most by far, so that each clip's are compared with several sounds of every kind.
    pairs = {
        "true": [in_time],
        "shifted": late,
        "same_class": [in_time[partner]],
        "other": [in_time.roll(step, dims=0) for step in OTHERS],
    }
    losses = []
    for name, others in pairs.items():
        logits = torch.cat([net.compare(other, picture) for other in others])
        wanted = torch.full_like(logits, float(name == "true"))
        losses.append(WEIGHTS[name] * F.binary_cross_entropy_with_logits(logits, wanted))
    return torch.stack(losses).sum()


def _choose(material: TrainingMaterial, rng: np.random.Generator) -> Indices:
    """Draw eight clips, each followed by another one of its class, neighbours of different classes."""
    classes = rng.permutation(len(material.classes))
    chosen = []
    for number in range(N_PAIRS):
        members = np.flatnonzero(material.labels == classes[number % len(classes)])
        chosen.append(rng.choice(members, 2, replace=len(members) < 2))
    return np.concatenate(chosen)


def _another(material: TrainingMaterial, order: Indices, *, same: bool) -> Indices:
    """Return for each clip the next one of the same, or of another, class."""
    n = len(material)
    found = []
    for index in order:
        following = (index + 1 + np.arange(n - 1)) % n
        fits = following[(material.labels[following] == material.labels[index]) == same]
        found.append(fits[0] if len(fits) else index)
    return np.asarray(found, dtype=np.int64)


def draw_shift(rng: np.random.Generator, ends: tuple[int, int]) -> int:
    """Draw a shift between two ends, short ones as often as long ones on a log scale, either way."""
    low, high = np.log(ends)
    return round(float(np.exp(rng.uniform(low, high)))) * int(rng.choice([-1, 1]))


def dented(sound: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return a spectrogram with a jitter of 10 ms and, at times, silence at an end, as shifted audio has."""
    out = moved(sound, int(rng.integers(-1, 2)), roll=True) if rng.random() < 0.5 else sound.copy()
    if rng.random() < 0.4:
        length = int(rng.integers(5, 100))
        out[:, slice(0, length) if rng.random() < 0.5 else slice(-length, None)] = -1.0
    return out


def at_other_rate(n: int, rng: np.random.Generator) -> Indices:
    """Return which of ``n`` frames are shown, shape (n,), when a clip has fewer frames a second than the net takes.

    Half of the clips keep all frames. The others have 12.5 to 25 a second, from a random phase on, each shown until
    the next, as ``frames_input`` does it.
    """
    if rng.random() < 0.5:
        return np.arange(n)
    step, phase = FRAME_HZ / rng.uniform(LOWEST_HZ, FRAME_HZ), rng.uniform()
    shown = np.floor((np.arange(n) + 0.5) / step + phase + 1e-9) - phase
    frames: Indices = np.clip(np.rint(shown * step), 0, n - 1).astype(np.int64)
    return frames


def pixels_of(pictures: npt.NDArray[np.uint8], rng: np.random.Generator | None = None) -> Tensor:
    """Return frames in [0, 1], mirrored and with other brightness and contrast per clip when ``rng`` is given."""
    out = torch.from_numpy(np.ascontiguousarray(pictures)).float() / 255.0
    if rng is None:
        return out
    mirrored = torch.from_numpy(rng.random(len(out)) < 0.5)
    out = torch.where(mirrored[:, None, None, None, None], out.flip(-1), out)
    gain, offset = (
        torch.from_numpy(rng.uniform(*ends, (len(out), 1, 1, 1, 1)).astype(np.float32))
        for ends in ((0.8, 1.2), (-0.1, 0.1))
    )
    return out * gain + offset


def _n_parts(material: TrainingMaterial) -> int:
    return max(1, len(material) // 16)
