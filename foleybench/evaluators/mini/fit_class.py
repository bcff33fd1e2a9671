"""Train and measure ``mini_class``."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleybench.encoders._nets.mini_nets import ClassNet
from foleybench.evaluators.mini.material import VERSIONS, TrainingMaterial
from foleybench.runtime.progress import Progress

BATCH = 64
CROP = 280
PEAK_RATE = 4e-3


def fit_mini_class(material: TrainingMaterial, *, steps: int, rng: np.random.Generator) -> ClassNet:
    """Train the classifier.

    Args:
        material: The train split.
        steps: Number of batches of 64.
        rng: Draws batches, versions, cuts and masks. The caller seeds torch.
    """
    net = ClassNet(len(material.classes))
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps)
    for _ in Progress(range(steps), desc="mini_class"):
        chosen = rng.choice(len(material), BATCH, replace=len(material) < BATCH)
        sound = _draw(material, chosen, rng)
        logits, embedding = net(sound)
        labels = torch.from_numpy(material.labels[chosen])
        loss = F.cross_entropy(logits, labels, label_smoothing=0.05) + 1e-3 * embedding.square().mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
    return net.eval()


@torch.inference_mode()
def measure_mini_class(net: ClassNet, material: TrainingMaterial) -> dict[str, float]:
    """Return the accuracy on each version of the audio."""
    found = {}
    for version, name in enumerate(VERSIONS):
        sounds = torch.from_numpy(material.sounds[:, version].astype(np.float32))
        top = np.concatenate([net(batch)[0].argmax(dim=1).numpy() for batch in torch.split(sounds, BATCH)])
        found[f"class_accuracy_{name}"] = float(np.mean(top == material.labels))
    return found


def _draw(
    material: TrainingMaterial, chosen: np.ndarray[tuple[int], np.dtype[np.int64]], rng: np.random.Generator
) -> Tensor:
    """Return a batch (B, 64, CROP): a version each, a random cut, tilted, blurred, masked."""
    version = rng.integers(len(VERSIONS), size=len(chosen))
    sound = material.sounds[chosen, version].astype(np.float32)
    crop = min(CROP, sound.shape[2])
    start = rng.integers(sound.shape[2] - crop + 1, size=len(chosen))
    sound = np.stack([one[:, first : first + crop] for one, first in zip(sound, start, strict=True)])
    tilt = rng.uniform(-0.1, 0.1, (len(chosen), 1, 1)) * np.linspace(-1.0, 1.0, sound.shape[1])[None, :, None]
    out = torch.from_numpy(sound + tilt.astype(np.float32))
    if rng.random() < 0.25:
        out = F.avg_pool2d(out[:, None], (1, 5), stride=1, padding=(0, 2))[:, 0]
    out = (out + 0.02 * torch.from_numpy(rng.standard_normal(out.shape).astype(np.float32))).clamp(-1.0, 0.0)
    for row in out:
        band, width = int(rng.integers(64)), int(rng.integers(1, 9))
        row[band : band + width] = -1.0
        first, length = int(rng.integers(crop)), int(rng.integers(1, 60))
        row[:, first : first + length] = -1.0
    return out
