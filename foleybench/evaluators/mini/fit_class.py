"""Train and measure ``mini_class``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleybench.encoders._nets.mini_labels import SOUNDS
from foleybench.encoders._nets.mini_nets import RANGE_DB, ClassNet
from foleybench.evaluators.mini.material import VERSIONS, TrainingMaterial
from foleybench.evaluators.mini.no_source import without_sources
from foleybench.runtime.progress import Progress

BATCH = 32
# Of these so many have no source.
N_EMPTY = 3
BANK = 200
PEAK_RATE = 4e-3
# What the net is to answer for a class that sounds, and for one that does not while others do: a weak source may be
# masked by another, so that certainty would be wrong.
PRESENT, ABSENT = 0.95, 0.02
# In silence and noise nothing can be masked: there every logit is to lie this far below 0.
EMPTY_MARGIN = 9.0
EMPTY_WEIGHT = 0.5
MIXED = 0.15
MOST_SOURCES = 3
# Power at the lowest level, relative to a clip's maximum.
FLOOR = 10 ** (-RANGE_DB / 10)

Indices = npt.NDArray[np.int64]


def fit_mini_class(material: TrainingMaterial, *, steps: int, rng: np.random.Generator) -> ClassNet:
    """Train the classifier.

    Args:
        material: The train split.
        steps: Number of batches of 32.
        rng: Draws batches, versions, mixtures and masks. The caller seeds torch.
    """
    net = ClassNet(len(material.classes), len(material.materials))
    optimiser = torch.optim.AdamW(net.parameters(), lr=PEAK_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, total_steps=steps)
    empty = without_sources(BANK, material.sounds.shape[3], rng)
    for _ in Progress(range(steps), desc="mini_class"):
        loss = _loss(net, material, empty, rng)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
    return net.eval()


@torch.inference_mode()
def measure_mini_class(net: ClassNet, material: TrainingMaterial) -> dict[str, float]:
    """Return, on each version of the audio, F1 over classes, accuracy of the main class and of materials."""
    found = {}
    for version, name in enumerate(VERSIONS):
        sounds = torch.from_numpy(material.sounds[:, version].astype(np.float32))
        parts = [net(batch)[:2] for batch in torch.split(sounds, BATCH)]
        logits, materials = (torch.cat(part).numpy() for part in zip(*parts, strict=True))
        heard = logits > SOUNDS
        top = logits.argmax(axis=1)
        found[f"class_f1_{name}"] = float(
            2 * (heard & material.sounding).sum() / (heard.sum() + material.sounding.sum())
        )
        found[f"class_accuracy_{name}"] = float(material.sounding[np.arange(len(top)), top].mean())
        if len(material.materials):
            top = materials.argmax(axis=1)
            one = material.sounding_materials.sum(axis=1) == 1
            found[f"material_accuracy_{name}"] = float(
                material.sounding_materials[np.arange(len(top)), top][one].mean()
            )
    return found


def _loss(
    net: ClassNet, material: TrainingMaterial, empty: npt.NDArray[np.float16], rng: np.random.Generator
) -> Tensor:
    n_real = BATCH - N_EMPTY
    chosen = rng.choice(len(material), n_real, replace=len(material) < n_real)
    sound, sounding = _draw(material, chosen, rng)
    nothing = empty[rng.integers(len(empty), size=N_EMPTY)].astype(np.float32)
    # Silence stays silence: nothing is added to it.
    logits, material_logits, embedding = net(torch.cat([sound, torch.from_numpy(nothing)]))
    both = torch.cat([logits, material_logits], dim=1)
    real = F.binary_cross_entropy_with_logits(
        both[:n_real], torch.from_numpy(np.where(sounding, PRESENT, ABSENT).astype(np.float32)), reduction="none"
    )
    n_classes = len(material.classes)
    ranked = _ranked(logits[:n_real], sounding[:, :n_classes])
    ranked = ranked + _ranked(material_logits[:n_real], sounding[:, n_classes:])
    empty_loss = F.softplus(both[n_real:] + EMPTY_MARGIN).mean()
    loss: Tensor = real.sum(dim=1).mean() + ranked + EMPTY_WEIGHT * empty_loss + 1e-3 * embedding.square().mean()
    return loss


def _ranked(logits: Tensor, sounding: npt.NDArray[np.bool_]) -> Tensor:
    """Return the cross-entropy of a softmax with what sounds, shared evenly: much faster than sigmoids alone."""
    if logits.shape[1] == 0:
        return logits.sum()
    share = sounding / np.maximum(sounding.sum(axis=1, keepdims=True), 1)
    return F.cross_entropy(logits, torch.from_numpy(share.astype(np.float32)))


def _draw(
    material: TrainingMaterial, chosen: Indices, rng: np.random.Generator
) -> tuple[Tensor, npt.NDArray[np.bool_]]:
    """Return a batch (B, 64, T): a version each, mixed, tilted, blurred, masked; and what sounds, (B, names)."""
    sound = material.sounds[chosen, rng.integers(len(VERSIONS), size=len(chosen))].astype(np.float32)
    sounding = np.concatenate([material.sounding[chosen], material.sounding_materials[chosen]], axis=1)
    sound, sounding = _mixed(sound, sounding, len(material.classes), rng)
    tilt = rng.uniform(-0.1, 0.1, (len(chosen), 1, 1)) * np.linspace(-1.0, 1.0, sound.shape[1])[None, :, None]
    out = torch.from_numpy(sound + tilt.astype(np.float32))
    if rng.random() < 0.25:
        out = F.avg_pool2d(out[:, None], (1, 5), stride=1, padding=(0, 2))[:, 0]
    out = (out + 0.02 * torch.from_numpy(rng.standard_normal(out.shape).astype(np.float32))).clamp(-1.0, 0.0)
    for row in out:
        band, width = int(rng.integers(64)), int(rng.integers(1, 9))
        row[band : band + width] = -1.0
        first, length = int(rng.integers(row.shape[1])), int(rng.integers(1, 40))
        row[:, first : first + length] = -1.0
    return out, sounding


def _mixed(
    sound: npt.NDArray[np.float32], sounding: npt.NDArray[np.bool_], n_classes: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Add the powers of some pairs of clips that have at most three sources together, relative to the new maximum."""
    partner = np.roll(np.arange(len(sound)), 1)
    counts = sounding[:, :n_classes].sum(axis=1)
    rows = np.flatnonzero((counts + counts[partner] <= MOST_SOURCES) & (rng.random(len(sound)) < MIXED))
    if len(rows) == 0:
        return sound, sounding
    gain = rng.uniform(-0.15, 0.15, (len(rows), 1, 1)).astype(np.float32)
    # The lowest level stands for no power at all.
    power = 10 ** (sound[rows] * (RANGE_DB / 10)) - FLOOR
    power += (10 ** (sound[partner[rows]] * (RANGE_DB / 10)) - FLOOR) * 10 ** (gain * (RANGE_DB / 10))
    level = np.log10(np.maximum(power, FLOOR)) * (10 / RANGE_DB)
    sound, together = sound.copy(), sounding.copy()
    sound[rows] = np.maximum(level - level.max(axis=(1, 2), keepdims=True), -1.0)
    together[rows] |= sounding[partner[rows]]
    return sound, together
