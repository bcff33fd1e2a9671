"""Time generation, clip by clip and in a batch."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from foleybench.api.model import Generator, clip_rng
from foleybench.clips import Clip
from foleybench.errors import MediaError
from foleybench.runtime.progress import Progress
from foleybench.runtime.threads import one_thread

REPEATS = 5


def measure_speed(generator: Generator, clips: Sequence[Clip], *, seed: int, device: str) -> dict[str, Any]:
    """Time generation after a warm-up, with the device synchronised, one clip at a time and all of them in a batch.

    Timed: video features, network, vocoder. Not timed: decoding and writing files.

    Args:
        generator: A built model.
        clips: What the model may see of each clip.
        seed: Seed of the sampling.
        device: Torch device name.

    Returns:
        Median seconds per clip and real-time factor (seconds of work per second of audio) for each batch size; none
        when some of that audio was not finite.
    """
    report: dict[str, Any] = {}
    for size in sorted({1, len(clips)} - {0}):
        batch = clips[:size]
        try:
            total = _median_seconds(generator, batch, seed, device)
        except MediaError:
            return {}
        duration_s = sum(clip.duration_s for clip in batch)
        report[f"batch_{size}"] = {"seconds_per_clip": total / size, "real_time_factor": total / duration_s}
    return report


def seconds_in_turn(built: Mapping[str, tuple[Generator, Clip]], *, rounds: int, device: str) -> dict[str, list[float]]:
    """Time several generators in turn within each round, so that a machine that slows down slows all of them.

    Args:
        built: Name -> a generator, and what it may see of a clip.
        rounds: Timed rounds, after one that warms up.
        device: Torch device name; a CPU computes on one thread.

    Returns:
        Name -> seconds of each round.
    """
    seconds: dict[str, list[float]] = {name: [] for name in built}
    with one_thread():
        for turn in Progress(range(rounds + 1), desc="time", unit="round"):
            for name, (generator, clip) in built.items():
                started = time.perf_counter()
                generator.generate([clip], clip_rng(turn, clip.clip_id))
                synchronise(device)
                if turn:
                    seconds[name].append(time.perf_counter() - started)
    return seconds


def _median_seconds(generator: Generator, batch: Sequence[Clip], seed: int, device: str) -> float:
    generator.generate(batch, clip_rng(seed, "warm-up"))
    times = []
    for repeat in range(REPEATS):
        started = time.perf_counter()
        generator.generate(batch, clip_rng(seed, f"speed {repeat}"))
        synchronise(device)
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def synchronise(device: str) -> None:
    """Wait until the device has done what it was given."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize()
