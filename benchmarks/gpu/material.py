"""Render SynthFoley in memory into training data, without shards or codecs."""

from __future__ import annotations

import concurrent.futures
import json
import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.gpu.phases import Plan, Report
from foleybench.clips import Clip
from foleybench.synthfoley import ClipSpec, class_names, render_clip
from foleymodels._parts.frame_maps import observe
from foleymodels._parts.mel import Mel
from foleymodels._parts.settings import of_size, replaced
from foleymodels._training.decoded_data import CacheSettings, TrainingData, cache_settings
from foleymodels.foleyflow.settings import FoleyFlowSettings

SPLITS = ("train", "heldout")
SIZES = ("tiny", "base")
# What makes every network of the small form a matter of milliseconds; nothing measured with it is a result.
_SMALL: dict[str, Any] = {
    "window_s": 1.28, "flow_crop_s": 1.28, "vama_crop_s": 0.96, "n_mels": 64, "cells": 16,
    "vama_dim": 16, "vama_heads": 2, "vama_blocks": 1, "vama_batch": 4,
    "video_channels_1": 8, "video_channels_2": 8, "video_channels_3": 8,
    "flow_dim": 16, "flow_heads": 2, "flow_blocks": 1, "flow_hidden": 16, "refine_channels": 4, "flow_batch": 4,
    "head_batch": 4, "reflow_pairs": 4, "reflow_nfe": 2, "cavp_window_s": 0.48, "cavp_windows": 2, "contrast_dim": 8,
    "encoder_batch": 4, "encoder_dim": 16, "vocoder_iterations": 2, "nfe": 2,
}  # fmt: skip


def settings_of(size: str, plan: Plan, **more: Any) -> FoleyFlowSettings:
    """Return the settings of a size, made small where the plan is, with some changed."""
    settings = of_size(FoleyFlowSettings, size)
    return replaced(settings, **{**(_SMALL if plan.small else {}), **more})


def render(plan: Plan, report: Report) -> None:
    """Render both splits, as many clips as the deadline allows, and write them for the later phases."""
    n_train, n_heldout, duration_s = (8, 4, 2.0) if plan.small else (512, 64, 8.0)
    labels = class_names()
    specs = [
        ClipSpec(clip_id=f"gpu{k}_000000", source_id=f"gpu{k}", label=labels[k % len(labels)], split=split,
                 duration_s=duration_s)
        for k, split in enumerate(["heldout"] * n_heldout + ["train"] * n_train)
    ]  # fmt: skip
    caches = [cache_settings(settings_of(size, plan).signal) for size in SIZES]
    most_s, allowed_s = report.seconds_left, 0.8 * report.seconds_left
    done: dict[int, _Rendered] = {}
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(plan.jobs, mp_context=context, initializer=_one_thread) as pool:
        tasks = {pool.submit(_rendered, spec, caches): index for index, spec in enumerate(specs)}
        try:
            for task in concurrent.futures.as_completed(tasks, timeout=allowed_s):
                done[tasks[task]] = task.result()
        except TimeoutError:
            report.add("cut short", clips=len(done), wanted=len(specs))
            pool.shutdown(wait=False, cancel_futures=True)
    taken_s = most_s - report.seconds_left
    for split in SPLITS:
        clips = [(specs[index], done[index]) for index in sorted(done) if specs[index].split == split]
        for number, (size, cache) in enumerate(zip(SIZES, caches, strict=True)):
            _write(plan.out / "material" / f"{size}-{split}", cache, clips, number)
        report.add("clips", split=split, n=len(clips), seconds_each=duration_s)
    report.add("rate", clips_per_s=round(len(done) / taken_s, 3), processes=plan.jobs)


def load(plan: Plan, size: str, split: str) -> TrainingData:
    """Return what the render phase wrote."""
    folder = plan.out / "material" / f"{size}-{split}"
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    return TrainingData(
        folder=folder,
        settings=cache_settings(settings_of(size, plan).signal),
        clip_ids=tuple(facts["clip_ids"]),
        frames=np.load(folder / "frames.npy"),
        tokens=np.load(folder / "tokens.npy"),
        frame_offsets=np.asarray(facts["frame_offsets"], dtype=np.int64),
        token_offsets=np.asarray(facts["token_offsets"], dtype=np.int64),
        labels=tuple(facts["labels"]),
        onsets_s=tuple(tuple(times) for times in facts["onsets_s"]),
    )


_Rendered = tuple[list[tuple[np.ndarray, np.ndarray]], list[float]]


def _one_thread() -> None:
    torch.set_num_threads(1)


def _rendered(spec: ClipSpec, caches: list[CacheSettings]) -> _Rendered:
    """Return maps and mel tokens of a clip at every size, and its onsets."""
    clip = render_clip(spec)
    return [_seen_and_heard(clip, cache) for cache in caches], [float(time) for time in clip.onset_times_s()]


def _seen_and_heard(clip: Clip, cache: CacheSettings) -> tuple[np.ndarray, np.ndarray]:
    assert clip.frames is not None
    maps = observe(clip.frames, clip.frame_times_s, clip.duration_s, cache.grid_hz, cache.cells)
    tokens = Mel(cache.mel).tokens(torch.from_numpy(clip.audio)[None])[0].numpy().astype(np.float16)
    return maps, tokens


def _write(folder: Path, cache: CacheSettings, clips: list[tuple[ClipSpec, _Rendered]], number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    parts = [rendered[0][number] for _, rendered in clips]
    for name, place in (("frames", 0), ("tokens", 1)):
        np.save(folder / f"{name}.npy", np.concatenate([part[place] for part in parts]))
    facts = {
        "clip_ids": [spec.clip_id for spec, _ in clips],
        "labels": [spec.label for spec, _ in clips],
        "onsets_s": [rendered[1] for _, rendered in clips],
        "frame_offsets": np.cumsum([0, *(len(part[0]) for part in parts)]).tolist(),
        "token_offsets": np.cumsum([0, *(len(part[1]) for part in parts)]).tolist(),
        "cache": str(cache),
    }
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
