"""Run the one resumable training loop of every network here.

All randomness of a step comes from a generator seeded by (seed, step), so a run that is killed and started again ends
with the same bits on a CPU as an unbroken one (at the same number of threads): only weights, optimiser, averages and
the step number have to be kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from foleybench.errors import FoleyError
from foleybench.files import canonical_json, write_atomically
from foleybench.runtime import distributed
from foleybench.runtime.progress import Progress, say
from foleymodels._parts.checkpoint import below, load_into, read_with_facts, write_tensors
from foleymodels._training.curves import draw_curves
from foleymodels._training.data_parallel import Share, present_share, share, sharing
from foleymodels._training.ema import Ema
from foleymodels._training.optimisers import FitSettings, learning_rate, optimiser_of
from foleymodels._training.stopwatch import Stopwatch
from foleymodels._training.tensorboard import TensorBoardLog

Losses = dict[str, Tensor]
Module = TypeVar("Module", bound=nn.Module)
LossFunction = Callable[[int, torch.Generator], Losses]

_STATE = "state.safetensors"
_SECONDS = "seconds.json"
# Facts in ``metrics.json`` that differ between runs of equal bits.
_TIMES = ("seconds", "cpu_seconds")
LOG = "log.jsonl"


# Values that describe earlier versions, left out of fingerprints, so that their runs can go on.
_EARLIER: dict[str, Any] = {
    "optimiser": "adamw",
    "schedule": "cosine",
    "precision": "float32",
    "most_bad_steps": 10,
    "other_rates": (),
}


# Values that each start of a run may choose: they change a trained model by rounding at most.
_OF_A_START = ("save_every_s", "micro_batches")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Monitor:
    """Logging and samples of a run, without influence on training.

    Attributes:
        tensorboard: Whether logged numbers go to TensorBoard, too.
        sample_every: Steps between samples; 0 for none.
        sample: Makes samples, from the number of steps taken and the averaged weights.
    """

    tensorboard: bool = False
    sample_every: int = 0
    sample: Callable[[int, dict[str, Tensor]], None] | None = None


def step_generator(seed: int, *parts: int | str) -> torch.Generator:
    """Return a generator that depends on the seed and the parts only."""
    digest = hashlib.sha256(canonical_json([seed, *parts]).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def batch_indices(n: int, batch: int, step: int, seed: int) -> Tensor:
    """Return the items of a step's batch: each epoch is a permutation of its own; a pure function.

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
    module: nn.Module,
    losses: LossFunction,
    settings: FitSettings,
    folder: Path,
    *,
    seed: int,
    name: str,
    monitor: Monitor | None = None,
    watch: Stopwatch | None = None,
    alone: bool = False,
) -> dict[str, Tensor]:
    """Train, resuming from what is in ``folder``; in all processes of the run at once.

    Args:
        module: The network; changed in place.
        losses: From (step, generator) to named losses; the one called ``loss`` is minimised, the others are logged.
        settings: Settings of the training.
        folder: Folder of state, log and curves.
        seed: Seed of every random choice.
        name: Name in the progress bar and the title of the curves.
        monitor: Logging and samples.
        watch: Counts the seconds; kept beside the state.
        alone: Whether this process trains by itself, without the others.

    Returns:
        The averaged weights by name.

    Raises:
        FoleyError: Too many steps in a row had no finite gradient, or the state in the folder is of other settings.
    """
    part = Share() if alone else present_share()
    run = _Run(module, settings, folder, seed, monitor or Monitor(), writes=part.rank == 0, watch=watch)
    if part.of > 1:
        distributed.agreed(True)  # all have read the state, which may be written from here on
    with sharing(part), run:
        run.train(losses, name)
    if part.rank == 0:
        draw_curves(run.records, folder / "curves.png", title=name)
    return run.ema.weights


def measured(out: Path) -> dict[str, Any]:
    """Return the content of ``metrics.json``, without facts that differ between runs of equal bits."""
    path = out / "metrics.json"
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {part: {key: value for key, value in facts.items() if key not in _TIMES} for part, facts in known.items()}


def outcome(folder: Path) -> dict[str, Any]:
    """Return the end of a stage's log: losses of the last logged step, and the number of steps left out."""
    path = folder / LOG
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    records = [json.loads(line) for line in lines if line]
    taken = [record for record in records if "skipped" not in record]
    return {**(taken[-1] if taken else {}), "skipped_steps": len(records) - len(taken)}


def forget_state(folder: Path) -> None:
    """Remove the files for resuming, once the checkpoint itself is written."""
    for name in (_STATE, _SECONDS):
        (folder / name).unlink(missing_ok=True)


class _Run:
    """The state of a training run, in memory and on disk."""

    def __init__(
        self,
        module: nn.Module,
        settings: FitSettings,
        folder: Path,
        seed: int,
        monitor: Monitor,
        *,
        writes: bool,
        watch: Stopwatch | None = None,
    ) -> None:
        self._module, self._settings, self._folder, self._seed = module, settings, folder, seed
        self._monitor, self._watch, self._writes = monitor, watch or Stopwatch(), writes
        decisive = {
            key: value
            for key, value in dataclasses.asdict(settings).items()
            if key not in _OF_A_START and _EARLIER.get(key) != value
        }
        self._fingerprint = canonical_json({"settings": decisive, "seed": seed})
        self._optimiser = optimiser_of(module, settings)
        self._device = next(module.parameters()).device
        self.ema = Ema(module, settings.ema_decay)
        self.step = 0
        self._bad_in_a_row = 0
        self.records: list[dict[str, Any]] = []
        if writes:
            folder.mkdir(parents=True, exist_ok=True)
        if (folder / _STATE).is_file():
            self._restore()
        self._board = TensorBoardLog(folder, self.records) if monitor.tensorboard and writes else None

    def __enter__(self) -> _Run:
        return self

    def __exit__(self, *error: object) -> None:
        if self._board is not None:
            self._board.close()

    def train(self, losses: LossFunction, name: str) -> None:
        """Take the steps that are left."""
        saved_at, total = time.monotonic(), self._settings.steps
        pause_s = self._settings.save_every_s
        bar = Progress(
            range(self.step, total), initial=self.step, total=total, desc=name, unit="step", disable=not self._writes
        )
        for step in bar:
            self._update(self._with_gradients(losses, step), step)
            if step % self._settings.log_every == 0 and self.records:
                bar.note(loss=self.records[-1].get("loss"))
            self._sample()
            if time.monotonic() - saved_at > pause_s:
                began = time.monotonic()
                self._save()
                saved_at = time.monotonic()
                pause_s = rest_s(saved_at - began, self._settings.save_every_s)
        self._save()

    def _with_gradients(self, losses: LossFunction, step: int) -> Losses:
        """Return a step's losses, their gradients in the parameters; the mean over parts that are taken in turn."""
        mixed = self._settings.precision == "bfloat16"
        parts = share().cut(self._settings.micro_batches)
        self._optimiser.zero_grad(set_to_none=True)
        found: list[Losses] = []
        for part in parts:
            # No cache of cast weights: a cast made without gradient, for a teacher, would later be used with gradient.
            cast = torch.autocast(self._device.type, torch.bfloat16, enabled=mixed, cache_enabled=False)
            with sharing(part), cast:
                values = losses(step, step_generator(self._seed, "step", step))
            (values["loss"] / len(parts)).backward()  # type: ignore[no-untyped-call]
            found.append({key: value.detach().float() for key, value in values.items()})
        return {key: torch.stack([one[key] for one in found]).mean(0) for key in found[0]}

    def _update(self, values: Losses, step: int) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = group["peak"] * learning_rate(step, self._settings)
        loss = values["loss"].clone()
        share().average([loss, *(p.grad for p in self._module.parameters() if p.grad is not None)])
        norm = nn.utils.clip_grad_norm_(self._module.parameters(), self._settings.clip_norm)
        self.step = step + 1
        if not bool(torch.isfinite(norm) & torch.isfinite(loss)):
            self._leave_out(step)
            return
        self._bad_in_a_row = 0
        self._optimiser.step()
        self.ema.update(self._module, step)
        if step % self._settings.log_every == 0 or self.step == self._settings.steps:
            self._log(step, values, float(norm))

    def _leave_out(self, step: int) -> None:
        """Skip a step whose loss or gradient is not finite, with a message; alike in every process."""
        self._bad_in_a_row += 1
        self._record({"step": step, "skipped": 1})
        if self._writes:
            say(f"step {step} is left out: its loss or gradient is not finite")
        if self._bad_in_a_row >= self._settings.most_bad_steps:
            raise FoleyError(
                f"training became unstable: {self._bad_in_a_row} steps in a row, up to step {step}, had no finite loss "
                f"and gradient. Lower the learning rate (it is {self._settings.learning_rate:g}) and choose another "
                "--out; if it stops at step 0 or in bfloat16 only, look at the data or set precision=float32."
            )

    def _log(self, step: int, values: Losses, norm: float) -> None:
        logged = {key: value.clone() for key, value in values.items()}
        share().average(list(logged.values()))
        record = {key: round(float(value), 6) for key, value in logged.items()}
        self._record({"step": step, **record, "gradient_norm": round(norm, 6)})

    def _record(self, record: dict[str, Any]) -> None:
        self.records.append(record)
        if self._board is not None:
            self._board.add(record)

    def _sample(self) -> None:
        sample, every = self._monitor.sample, self._monitor.sample_every
        if self._writes and sample is not None and every and self.step % every == 0:
            sample(self.step, self.ema.weights)

    def _save(self) -> None:
        if not self._writes:
            return
        tensors = {f"module.{key}": value for key, value in self._module.state_dict().items()}
        tensors |= {f"ema.{key}": value for key, value in self.ema.weights.items()}
        for index, state in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{key}": torch.as_tensor(value) for key, value in state.items()}
        header = {"step": self.step, "fingerprint": self._fingerprint, "records": self.records}
        header["bad_in_a_row"] = self._bad_in_a_row
        write_tensors(self._folder / _STATE, tensors, header, entry="run")
        self._watch.save(self._folder / _SECONDS)
        lines = [canonical_json(record) for record in self.records]
        write_atomically(self._folder / LOG, ("\n".join(lines) + "\n").encode())

    def _restore(self) -> None:
        path = self._folder / _STATE
        tensors, header = _read_state(path)
        if header["fingerprint"] != self._fingerprint:
            raise FoleyError(
                f"{path} is of a run with other settings or another seed. Choose another --out, or delete that folder."
            )
        load_into(self._module, below(tensors, "module"), self._folder)
        self.ema.weights = {key: value.to(self._device) for key, value in below(tensors, "ema").items()}
        self.step, self.records = int(header["step"]), list(header["records"])
        self._watch.go_on(self._folder / _SECONDS)
        self._bad_in_a_row = int(header.get("bad_in_a_row", 0))
        packed = self._optimiser.state_dict()
        for key, value in below(tensors, "optimiser").items():
            index, field = key.split(".", 1)
            packed["state"].setdefault(int(index), {})[field] = value
        self._optimiser.load_state_dict(packed)


def rest_s(took_s: float, every_s: float) -> float:
    """Return the seconds until the next save, so that saving large states costs at most a twentieth of the time."""
    return max(every_s, 20 * took_s) if took_s > 1.0 else every_s


def seeded(make: Callable[[], Module], seed: int) -> Module:
    """Build a module whose starting weights depend on the seed only, leaving the global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(step_generator(seed, "weights").initial_seed())
        return make()


def n_parameters(module: nn.Module) -> int:
    """Return how many numbers a module's parameters hold."""
    return sum(value.numel() for value in module.parameters())


def write_metrics(out: Path, values: dict[str, Any]) -> None:
    """Add measured values to the run's ``metrics.json``; the first process does."""
    if not distributed.first():
        return
    path = out / "metrics.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    write_atomically(path, (canonical_json({**known, **values}) + "\n").encode())


def _read_state(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a state file.

    A state file is written whole or not at all, so a broken one means a broken disk: the file is named, and the stage
    is not silently trained again, although that would give the same weights.
    """
    try:
        tensors, header = read_with_facts(path)
        header["fingerprint"]
    except (FoleyError, KeyError) as error:
        raise FoleyError(
            f"{path} is broken, so this stage cannot go on from it ({error}). Check the disk; then delete that file "
            "and start again: the stage is trained from its beginning, and ends with the same weights."
        ) from error
    return tensors, header
