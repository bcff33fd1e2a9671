"""Train the alignment classifier, resumable to the bit."""

from __future__ import annotations

import dataclasses
import io
import math
import pickle
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foleybench.encoders._nets.mini_nets import RATIO, AlignNet
from foleybench.errors import FoleyError
from foleybench.evaluators.align.pool import Pool, Pools
from foleybench.evaluators.mini.fit_align import draw_shift, moved, pixels_of
from foleybench.files import write_atomically
from foleybench.runtime.progress import Progress

# Shares of the loss; as recalled from the paper of Diff-Foley, not confirmed.
MIX = {"true": 0.5, "shifted": 0.25, "swapped": 0.25}
# Shifts, in frames of 10 ms, that count as not in time.
SHIFTS = (10, 200)
STEPS_PER_ROUND = 250
CHECKPOINT_EVERY = 50


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlignRecipe:
    """How a classifier is trained.

    Attributes:
        steps: Number of steps.
        batch: Clips in a step; each gives a true, a shifted and a swapped pair.
        window_s: Seconds of each clip that are used in a step.
        rate: Peak learning rate.
        pool: Clips in memory at a time.
        seed: Seed of every random choice.
        n_follow: Number of timing features, in ``n_heads`` groups.
        n_heads: See ``n_follow``.
        n_kind: Number of content features.
        scale: Width of the towers.
    """

    steps: int = 500
    batch: int = 16
    window_s: float = 2.56
    rate: float = 2e-3
    pool: int = 2000
    seed: int = 0
    n_follow: int = 24
    n_heads: int = 4
    n_kind: int = 16
    scale: int = 1

    @property
    def net(self) -> dict[str, int]:
        """The sizes of the network, as ``AlignNet`` takes them."""
        return {name: getattr(self, name) for name in ("n_follow", "n_heads", "n_kind", "scale")}


def fit_align_trained(recipe: AlignRecipe, pools: Pools, checkpoint: Path, mark: str, device: str) -> AlignNet:
    """Train, going on from the checkpoint if there is one.

    Args:
        recipe: Settings of the training.
        pools: The data.
        checkpoint: Written every 50 steps.
        mark: Names recipe and data; a checkpoint with another mark is refused.
        device: Torch device name.

    Raises:
        FoleyError: The checkpoint belongs to another recipe or other data, or cannot be read.
    """
    torch.manual_seed(recipe.seed)
    net = AlignNet(**recipe.net).to(device)
    optimiser = torch.optim.AdamW(net.parameters(), lr=recipe.rate, weight_decay=0.02)
    done = _resume(checkpoint, mark, net, optimiser)
    for step in Progress(range(done, recipe.steps), desc="align-classifier", initial=done, total=recipe.steps):
        rng = np.random.default_rng([recipe.seed, step])
        torch.manual_seed(int(rng.integers(2**31)))
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * _warmth(step / recipe.steps)
        loss = _loss(net, pools.of_round(step // STEPS_PER_ROUND), recipe, rng, device)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        if (step + 1) % CHECKPOINT_EVERY == 0:
            _save(checkpoint, mark, step + 1, net, optimiser)
    return net.eval()


def _warmth(share: float) -> float:
    """Learning rate over its peak: a rise over the first tenth, then a cosine to nothing."""
    return share / 0.1 if share < 0.1 else 0.5 + 0.5 * math.cos(math.pi * (share - 0.1) / 0.9)


def _loss(net: AlignNet, pool: Pool, recipe: AlignRecipe, rng: np.random.Generator, device: str) -> Tensor:
    chosen = rng.choice(len(pool), min(recipe.batch, len(pool)), replace=False)
    longest = min(min(len(pool.pictures[index]), pool.sounds[index].shape[1] // RATIO) for index in chosen)
    n = min(round(recipe.window_s * 25), longest)
    pictures, true, shifted = [], [], []
    for index in chosen:
        sound = pool.sounds[index].astype(np.float32)
        first = int(rng.integers(min(len(pool.pictures[index]), sound.shape[1] // RATIO) - n + 1))
        window = slice(RATIO * first, RATIO * (first + n))
        pictures.append(pool.pictures[index][first : first + n])
        true.append(_blanked(sound, rng)[:, window])
        shifted.append(moved(sound, draw_shift(rng, SHIFTS), roll=bool(rng.random() < 0.5))[:, window])
    # In two halves: the allocator reuses tensors of less than 32 MB and maps larger ones anew every time.
    pixels = pixels_of(np.stack(pictures), rng)
    video_features = torch.cat([net.picture(half.to(device)) for half in torch.chunk(pixels, 2)])
    in_time, late = net.sound(torch.from_numpy(np.stack([*true, *shifted])).to(device)).chunk(2)
    pairs = {"true": in_time, "shifted": late, "swapped": in_time.roll(1, dims=0)}
    losses = []
    for name, sound_features in pairs.items():
        logits = net.compare(sound_features, video_features)
        wanted = torch.full_like(logits, float(name == "true"))
        losses.append(MIX[name] * F.binary_cross_entropy_with_logits(logits, wanted))
    return torch.stack(losses).sum()


def _blanked(sound: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Add silence at an end of real audio, as often and as long as in shifted audio: silence is then no clue."""
    out = sound.copy()
    if rng.random() < 0.5:
        frames = draw_shift(rng, SHIFTS)
        out[:, slice(0, frames) if frames > 0 else slice(frames, None)] = -1.0
    return out


def _save(path: Path, mark: str, step: int, net: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    buffer = io.BytesIO()
    torch.save({"mark": mark, "step": step, "net": net.state_dict(), "optimiser": optimiser.state_dict()}, buffer)
    write_atomically(path, buffer.getvalue())


def _resume(path: Path, mark: str, net: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    """Load a checkpoint if there is one; return how many steps are done."""
    if not path.is_file():
        return 0
    try:
        kept = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, ValueError, KeyError, OSError, pickle.UnpicklingError) as error:
        kind = type(error).__name__
        raise FoleyError(f"{path} cannot be read as a checkpoint ({kind}). Use --force to train afresh.") from error
    if kept["mark"] != mark:
        raise FoleyError(f"{path} belongs to other settings or other data. Choose another --out, or use --force.")
    net.load_state_dict(kept["net"])
    optimiser.load_state_dict(kept["optimiser"])
    return int(kept["step"])
