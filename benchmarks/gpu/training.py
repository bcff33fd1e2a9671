"""Train on the device: tiny steps on both, ``base`` at several batches, a run with a kill, and its evaluation."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.gpu.agreement import BFLOAT16_LIMIT, FLOAT32_LIMIT
from benchmarks.gpu.material import load, settings_of
from benchmarks.gpu.phases import Plan, Report
from foleymodels._alignment.network import Alignment
from foleymodels._flow.network import Flow, guided_velocity
from foleymodels._flow.training import flow_loss
from foleymodels._parts.checkpoint import below, read_with_facts
from foleymodels._parts.mel import Mel
from foleymodels._parts.samplers import sample
from foleymodels._training import loop
from foleymodels._training.data_parallel import share
from foleymodels._training.decoded_data import TrainingData
from foleymodels._training.optimisers import FitSettings, optimiser_of
from foleymodels._vocoders.griffin_lim import griffin_lim
from foleymodels.foleyflow.settings import FoleyFlowSettings

_STATE = "state.safetensors"


class Joint(nn.Module):
    """A flow and the alignment network of its condition, trained together, as with ``stage1=none``."""

    def __init__(self, settings: FoleyFlowSettings) -> None:
        super().__init__()
        self.settings = settings
        self.alignment = Alignment(settings.signal, settings.alignment)
        self.flow = Flow(settings.flow, settings.signal.mel, self.alignment.condition_dim)

    def batch(self, data: TrainingData, size: int, step: int) -> tuple[Tensor, Tensor]:
        """Return a step's frames and tokens, on the CPU."""
        signal, crop_s = self.settings.signal, self.settings.flow.flow_crop_s
        n_tokens = signal.tokens(crop_s)
        indices = loop.batch_indices(len(data), size, step, 0)
        starts = data.starts(indices, n_tokens, loop.step_generator(0, "starts", step))
        indices, starts = share().rows(indices), share().rows(starts)
        frames = data.crop_frames(indices, starts, signal.frames(crop_s))
        return frames, data.crop_tokens(indices, starts, n_tokens)

    def loss(self, frames: Tensor, tokens: Tensor, generator: torch.Generator) -> Tensor:
        """Return the flow's loss, on the device of the arguments."""
        return flow_loss(self.flow, tokens, self.alignment.features(frames, tokens.shape[1]), generator)


def without_curves() -> bool:
    """Leave out the figures of training where matplotlib is not, as on a bare machine; return whether they are."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        loop.draw_curves = lambda *args, **kwargs: None
        return True
    return False


def tiny_steps(plan: Plan, report: Report) -> None:
    """Take the same tiny steps on the CPU and on the device, with the training loop itself."""
    data, n_steps = load(plan, "tiny", "train"), 10 if plan.small else 100
    ends: dict[str, float] = {}
    for place, device in (("cpu", "cpu"), ("device", plan.device)):
        module = _new(settings_of("tiny", plan)).to(device)
        size = module.settings.flow.flow_batch
        settings = FitSettings(steps=n_steps, learning_rate=module.settings.flow.flow_rate)
        started = time.monotonic()
        loop.fit(module, _losses(module, data, size, device), settings, plan.out / f"tiny-{place}", seed=0, name=place)
        seconds = time.monotonic() - started
        record = loop.outcome(plan.out / f"tiny-{place}")
        ends[place] = record["loss"]
        report.add(
            place, device=device, steps=n_steps, loss=record["loss"], ms_per_step=round(1e3 * seconds / n_steps, 3)
        )
    off = abs(ends["device"] - ends["cpu"]) / ends["cpu"]
    report.add("difference", of_last_losses=off)


def base_batches(plan: Plan, report: Report) -> None:
    """Measure ``base`` at several batch sizes: milliseconds by part, clips a second, memory; in parts; a profile."""
    data = load(plan, "base", "train")
    for size in (2, 4) if plan.small else (32, 64, 128, 256):
        module = _new(settings_of("base", plan)).to(plan.device)
        optimiser = optimiser_of(module, FitSettings(steps=1, learning_rate=1e-4))
        try:
            parts = _timed(module, optimiser, data, size, plan)
        except torch.OutOfMemoryError as error:
            report.add("out of memory", batch=size, error=str(error)[:300])
            continue
        finally:
            del module, optimiser
            torch.cuda.empty_cache()
        report.add("batch", batch=size, precision=_precision(plan), **parts)
    _in_parts(data, plan, report)
    _profile(data, plan, report)


def _in_parts(data: TrainingData, plan: Plan, report: Report) -> None:
    """Take steps of the training loop with a batch whole and in four parts: seconds, memory, and the same losses."""
    size, cuda = 4 if plan.small else 64, torch.device(plan.device).type == "cuda"
    losses: dict[int, float] = {}
    for parts in (1, 4):
        if cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        module, folder = _new(settings_of("base", plan)).to(plan.device), plan.out / f"in-{parts}"
        settings = FitSettings(
            steps=2, learning_rate=1e-4, log_every=1, micro_batches=parts, precision=_precision(plan)
        )
        started = time.perf_counter()
        loop.fit(module, _losses(module, data, size, plan.device), settings, folder, seed=0, name=f"in {parts}")
        synchronise(plan.device)
        seconds = round(time.perf_counter() - started, 3)
        losses[parts] = loop.outcome(folder)["loss"]
        peak = torch.cuda.max_memory_allocated() / 2**30 if cuda else None
        report.add("in parts", batch=size, parts=parts, seconds=seconds, peak_gib=peak, loss=losses[parts])
        (folder / _STATE).unlink()
    off = abs(losses[4] - losses[1]) / losses[1]
    limit = FLOAT32_LIMIT if _precision(plan) == "float32" else BFLOAT16_LIMIT
    report.add("in parts, compared", off=off, limit=limit, within=off <= limit)


def base_training(plan: Plan, report: Report) -> None:
    """Train ``base`` until the time is up, killed once and started again from its state."""
    state, started = plan.out / "base" / _STATE, time.monotonic()
    allowed_s = 0.95 * report.seconds_left
    # In small, where nothing is measured, each start goes on only until it has kept something.
    first = _start(_train_base, plan)
    _wait(first, state, after_step=0, least_s=0.0 if plan.small else allowed_s / 3, most_s=0.8 * allowed_s)
    first.kill()
    first.join()
    _, kept = read_with_facts(state)
    report.add("killed", after_s=round(time.monotonic() - started, 2), kept_step=kept["step"])
    second, left_s = _start(_train_base, plan), allowed_s - (time.monotonic() - started)
    _wait(second, state, after_step=kept["step"], least_s=0.0 if plan.small else left_s, most_s=left_s)
    ended = not second.is_alive()
    second.kill()
    second.join()
    _, last = read_with_facts(state)
    continued = last["step"] > kept["step"] and last["records"][: len(kept["records"])] == kept["records"]
    seconds = time.monotonic() - started
    report.add("resumed", from_step=kept["step"], to_step=last["step"], continued=continued, ended_by_itself=ended)
    report.add("curve", seconds=round(seconds, 1), losses=_thinned(last["records"]))
    if not continued:
        raise RuntimeError(f"the second start did not go on from step {kept['step']}: it ended at {last['step']}")


def evaluation(plan: Plan, report: Report) -> None:
    """Measure what was trained on held-out clips: loss with own and others' video, generated energy over time."""
    data, device = load(plan, "base", "heldout"), plan.device
    tensors, facts = read_with_facts(plan.out / "base" / _STATE)
    trained = _new(settings_of("base", plan))
    trained.load_state_dict(below(tensors, "ema"))
    size = min(len(data), 4 if plan.small else 32)
    for name, module in (("untrained", _new(settings_of("base", plan))), ("trained", trained)):
        module = module.to(device).eval().requires_grad_(False)
        frames, tokens = (part.to(device) for part in module.batch(data, size, 0))
        for video, shown in (("own", frames), ("others'", frames.roll(1, dims=0))):
            values = [float(module.loss(shown, tokens, loop.step_generator(1, turn))) for turn in range(4)]
            report.add("held-out loss", weights=name, video=video, clips=size, loss=float(np.mean(values)))
    report.add("trained for", steps=facts["step"])
    _generated(trained.to(device), frames, tokens, plan, report)


def _generated(module: Joint, frames: Tensor, tokens: Tensor, plan: Plan, report: Report) -> None:
    """Sample with guidance in float32 and under autocast; compare the energy over time with the true one."""
    noise = torch.randn(tokens.shape, generator=loop.step_generator(2)).to(plan.device)
    made: dict[str, Tensor] = {}
    for precision in ("float32", "bfloat16"):
        synchronise(plan.device)
        started = time.perf_counter()
        with torch.inference_mode(), _autocast(plan, precision):
            made[precision] = _sampled(module, frames, noise).float()
        synchronise(plan.device)
        ms = 1e3 * (time.perf_counter() - started) / len(tokens)
        energy, true = made[precision].mean(-1).cpu().numpy(), tokens.mean(-1).cpu().numpy()
        own = np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(energy, true, strict=True)])
        others = np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(energy, np.roll(true, 1, axis=0), strict=True)])
        nfe = module.settings.flow.nfe
        report.add("generated", precision=precision, nfe=nfe, ms_per_clip=ms, own=float(own), others=float(others))
    off = float((made["bfloat16"] - made["float32"]).norm() / made["float32"].norm())
    report.add("bfloat16 generation", off=off)
    settings = module.settings.signal
    n_samples = tokens.shape[1] * settings.mel.frames_per_token * settings.hop
    started = time.perf_counter()
    audio = griffin_lim(Mel(settings.mel), made["float32"].cpu()[:4], n_samples, iterations=settings.vocoder_iterations)
    finite = bool(torch.isfinite(audio).all())
    report.add("vocoder", ms_per_clip=1e3 * (time.perf_counter() - started) / len(audio), finite=finite)


def _sampled(module: Joint, frames: Tensor, noise: Tensor) -> Tensor:
    flow, settings = module.flow, module.settings.flow
    prepared = flow.prepare(module.alignment.features(frames, noise.shape[1]))

    def velocity(x: Tensor, tau: Tensor, following: Tensor) -> Tensor:
        return guided_velocity(flow, x, tau, prepared, settings.guidance, following)

    return sample(flow.path, velocity, noise, nfe=settings.nfe, method=settings.sampler, times=flow.times)


def synchronise(device: str) -> None:
    """Wait for the device."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()


def _new(settings: FoleyFlowSettings) -> Joint:
    return loop.seeded(lambda: Joint(settings), 0)


def _precision(plan: Plan) -> str:
    return "float32" if plan.device == "cpu" else "bfloat16"


def _autocast(plan: Plan, precision: str) -> torch.autocast:
    mixed = precision == "bfloat16"
    return torch.autocast(torch.device(plan.device).type, torch.bfloat16, enabled=mixed, cache_enabled=False)


def _losses(module: Joint, data: TrainingData, size: int, device: str) -> loop.LossFunction:
    def losses(step: int, generator: torch.Generator) -> loop.Losses:
        frames, tokens = module.batch(data, size, step)
        return {"loss": module.loss(frames.to(device), tokens.to(device), generator)}

    return losses


def _timed(
    module: Joint, optimiser: torch.optim.Optimizer, data: TrainingData, size: int, plan: Plan
) -> dict[str, Any]:
    warm_up, n = (1, 2) if plan.small else (3, 8)
    seconds: dict[str, list[float]] = {name: [] for name in ("data", "forward", "backward", "optimiser")}
    cuda = torch.device(plan.device).type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    for step in range(warm_up + n):
        marks = [time.perf_counter()]

        def mark(marks: list[float] = marks) -> None:
            synchronise(plan.device)
            marks.append(time.perf_counter())

        _one_step(module, optimiser, data, size, step, plan, mark)
        if step >= warm_up:
            for name, one, two in zip(seconds, marks, marks[1:], strict=False):
                seconds[name].append(two - one)
    medians = {f"{name}_ms": round(1e3 * float(np.median(values)), 3) for name, values in seconds.items()}
    rate = round(size / (sum(medians.values()) / 1e3), 2)
    return {**medians, "clips_per_s": rate, "peak_gib": torch.cuda.max_memory_allocated() / 2**30 if cuda else None}


def _one_step(
    module: Joint, optimiser: torch.optim.Optimizer, data: TrainingData, size: int, step: int, plan: Plan,
    mark: Callable[[], None],
) -> None:  # fmt: skip
    frames, tokens = (part.to(plan.device) for part in module.batch(data, size, step))
    mark()
    with _autocast(plan, _precision(plan)):
        loss = module.loss(frames, tokens, loop.step_generator(0, step))
    mark()
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    mark()
    optimiser.step()
    mark()


def _profile(data: TrainingData, plan: Plan, report: Report) -> None:
    module, size = _new(settings_of("base", plan)).to(plan.device), 2 if plan.small else 64
    optimiser = optimiser_of(module, FitSettings(steps=1, learning_rate=1e-4))
    with torch.profiler.profile(acc_events=True) as profile:
        for step in range(2):
            _one_step(module, optimiser, data, size, step, plan, lambda: None)
        synchronise(plan.device)
    cuda = torch.device(plan.device).type == "cuda"
    spent = "self_device_time_total" if cuda else "self_cpu_time_total"
    largest = sorted(profile.key_averages(), key=lambda row: getattr(row, spent), reverse=True)[:15]
    rows = [{"op": row.key[:80], "ms": round(getattr(row, spent) / 1e3, 3), "calls": row.count} for row in largest]
    report.add("profile", batch=size, steps=2, time_of="device" if cuda else "cpu", rows=rows)


def _start(work: Callable[[Plan], None], plan: Plan) -> multiprocessing.Process:
    process = multiprocessing.get_context("fork").Process(target=work, args=(plan,))
    process.start()
    return process  # type: ignore[return-value]


def _wait(process: multiprocessing.Process, state: Path, *, after_step: int, least_s: float, most_s: float) -> None:
    """Wait until a run has kept a later step than one, at least and at most for some seconds, or has ended."""
    started = time.monotonic()
    while process.is_alive() and time.monotonic() - started < most_s:
        enough = time.monotonic() - started >= least_s  # asked first: the state of a large network takes long to read
        if enough and state.is_file() and read_with_facts(state)[1]["step"] > after_step:
            return
        time.sleep(0.2)


def _train_base(plan: Plan) -> None:
    data, size = load(plan, "base", "train"), 4 if plan.small else 64
    module = _new(settings_of("base", plan)).to(plan.device)
    settings = FitSettings(
        steps=1_000_000, learning_rate=module.settings.flow.flow_rate, schedule="constant", ema_decay=0.99,
        precision=_precision(plan), save_every_s=0.2 if plan.small else 10.0,
    )  # fmt: skip
    loop.fit(module, _losses(module, data, size, plan.device), settings, plan.out / "base", seed=0, name="base")


def _thinned(records: list[dict[str, Any]], most: int = 60) -> list[tuple[int, float]]:
    every = max(1, -(-len(records) // most))
    return [(record["step"], record["loss"]) for record in records[::every] if "loss" in record]


def read_records(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a record."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
