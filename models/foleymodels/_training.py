"""One resumable training loop for every network here.

All randomness of a step comes from a generator seeded by (seed, step), so a run that is killed and started again ends
with the same bits on a CPU as an unbroken one (at the same number of threads): only weights, optimiser, averages and
the step number have to be kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import safetensors.torch
import torch
from torch import Tensor, nn
from tqdm import tqdm

from foleybench.errors import FoleyError
from foleybench.manifest import canonical_json, write_atomically
from foleymodels._checkpoint import read_tensors
from foleymodels._curves import draw_curves
from foleymodels._ema import Ema

Losses = dict[str, Tensor]
Made = TypeVar("Made", bound=nn.Module)
LossFunction = Callable[[int, torch.Generator], Losses]

_STATE = "state.safetensors"
_LOG = "log.jsonl"


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """How a network is trained.

    Attributes:
        steps: Number of optimiser steps.
        learning_rate: Peak of the cosine schedule.
        warmup_steps: Steps of linear warm-up, at most a tenth of all.
        weight_decay: Of AdamW, on matrices only.
        clip_norm: Largest gradient norm.
        ema_decay: Of the averaged weights, which are the ones kept.
        save_every_s: Seconds between checkpoints.
        log_every: Steps between log lines.
    """

    steps: int
    learning_rate: float
    warmup_steps: int = 50
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    ema_decay: float = 0.995
    save_every_s: float = 20.0
    log_every: int = 10


def step_generator(seed: int, *parts: int | str) -> torch.Generator:
    """Return a generator that depends on the seed and the parts only."""
    digest = hashlib.sha256(canonical_json([seed, *parts]).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def batch_indices(n: int, batch: int, step: int, seed: int) -> Tensor:
    """Return which items make the batch of a step: each epoch is a permutation of its own; a function of its arguments.

    Returns:
        Shape (batch,), int64.
    """
    positions = torch.arange(step * batch, (step + 1) * batch)
    epochs = torch.div(positions, n, rounding_mode="floor")
    orders = {
        int(e): torch.randperm(n, generator=step_generator(seed, "epoch", int(e))) for e in sorted(set(epochs.tolist()))
    }
    return torch.stack([orders[int(e)][int(p) % n] for e, p in zip(epochs, positions, strict=True)])


def fit(
    module: nn.Module, losses: LossFunction, settings: LoopSettings, folder: Path, *, seed: int, name: str
) -> dict[str, Tensor]:
    """Train, resuming from what is in ``folder``.

    Args:
        module: The network; changed in place.
        losses: From (step, generator) to named losses; the one called ``loss`` is minimised, the others are logged.
        settings: How.
        folder: Where state, log and curves lie.
        seed: Seed of every random choice.
        name: For the progress bar and the title of the picture.

    Returns:
        The averaged weights by name.

    Raises:
        FoleyError: The loss is not finite, or the state in the folder is of other settings.
    """
    run = _Run(module, settings, folder, seed)
    saved_at = time.monotonic()
    for step in tqdm(range(run.step, settings.steps), initial=run.step, total=settings.steps, desc=name, disable=None):
        values = losses(step, step_generator(seed, "step", step))
        run.update(values, step)
        if time.monotonic() - saved_at > settings.save_every_s:
            run.save()
            saved_at = time.monotonic()
    run.save()
    draw_curves(run.records, folder / "curves.png", title=name)
    return run.ema.weights


def forget_state(folder: Path) -> None:
    """Remove what only resuming needs, once the checkpoint itself is written."""
    (folder / _STATE).unlink(missing_ok=True)


class _Run:
    """The state of a training run, in memory and on disk."""

    def __init__(self, module: nn.Module, settings: LoopSettings, folder: Path, seed: int) -> None:
        self._module, self._settings, self._folder = module, settings, folder
        decisive = {key: value for key, value in dataclasses.asdict(settings).items() if key != "save_every_s"}
        self._fingerprint = canonical_json({"settings": decisive, "seed": seed})
        self._optimiser = _optimiser(module, settings)
        self.ema = Ema(module, settings.ema_decay)
        self.step = 0
        self.records: list[dict[str, Any]] = []
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / _STATE).is_file():
            self._restore()

    def update(self, values: Losses, step: int) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = learning_rate(step, self._settings)
        self._optimiser.zero_grad(set_to_none=True)
        values["loss"].backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self._module.parameters(), self._settings.clip_norm)
        if not math.isfinite(float(norm)):
            raise FoleyError(
                f"training became unstable at step {step}: gradient norm {float(norm)}. Lower the learning rate."
            )
        self._optimiser.step()
        self.ema.update(self._module, step)
        self.step = step + 1
        if step % self._settings.log_every == 0 or self.step == self._settings.steps:
            record = {key: round(float(value.detach()), 6) for key, value in values.items()}
            self.records.append({"step": step, **record, "gradient_norm": round(float(norm), 6)})

    def save(self) -> None:
        tensors = {f"module.{key}": value for key, value in self._module.state_dict().items()}
        tensors |= {f"ema.{key}": value for key, value in self.ema.weights.items()}
        for index, state in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{key}": torch.as_tensor(value) for key, value in state.items()}
        plain = {key: value.detach().contiguous() for key, value in tensors.items()}
        header = canonical_json({"step": self.step, "fingerprint": self._fingerprint, "records": self.records})
        write_atomically(self._folder / _STATE, safetensors.torch.save(plain, {"run": header}))
        lines = [canonical_json(record) for record in self.records]
        write_atomically(self._folder / _LOG, ("\n".join(lines) + "\n").encode())

    def _restore(self) -> None:
        path = self._folder / _STATE
        tensors = read_tensors(path)
        header = _header(path)
        if header["fingerprint"] != self._fingerprint:
            raise FoleyError(
                f"{path} is of a run with other settings or another seed. Choose another --out, or delete that folder."
            )
        self._module.load_state_dict(_below(tensors, "module."))
        self.ema.weights = _below(tensors, "ema.")
        self.step, self.records = int(header["step"]), list(header["records"])
        packed = self._optimiser.state_dict()
        for key, value in _below(tensors, "optimiser.").items():
            index, field = key.split(".", 1)
            packed["state"].setdefault(int(index), {})[field] = value
        self._optimiser.load_state_dict(packed)


def seeded(make: Callable[[], Made], seed: int) -> Made:
    """Build a module whose starting weights depend on the seed only, leaving the global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(step_generator(seed, "weights").initial_seed())
        return make()


def n_parameters(module: nn.Module) -> int:
    """Return how many numbers a module's parameters hold."""
    return sum(value.numel() for value in module.parameters())


def write_metrics(out: Path, values: dict[str, Any]) -> None:
    """Add measured values to the run's ``metrics.json``."""
    path = out / "metrics.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    write_atomically(path, (canonical_json({**known, **values}) + "\n").encode())


def learning_rate(step: int, settings: LoopSettings) -> float:
    """Return the rate at a step: linear warm-up, then a cosine to a hundredth of the peak."""
    warmup = max(1, min(settings.warmup_steps, settings.steps // 10))
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    progress = (step - warmup) / max(1, settings.steps - warmup)
    return settings.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


def _optimiser(module: nn.Module, settings: LoopSettings) -> torch.optim.AdamW:
    matrices = [p for p in module.parameters() if p.ndim >= 2]
    vectors = [p for p in module.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW([g for g in groups if g["params"]], lr=settings.learning_rate, betas=(0.9, 0.95))


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _header(path: Path) -> dict[str, Any]:
    with safetensors.safe_open(path, framework="pt") as handle:
        metadata = handle.metadata() or {}
    header: dict[str, Any] = json.loads(metadata.get("run", "{}"))
    return header
