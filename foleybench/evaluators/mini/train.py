"""Train both evaluators from a manifest; write them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from foleybench.encoders._nets.mini_nets import packed
from foleybench.errors import FoleyError
from foleybench.evaluators.mini import fit_align, fit_class
from foleybench.evaluators.mini.material import gather
from foleybench.files import write_atomically
from foleybench.runtime.threads import one_thread
from foleybench.shards.manifest import read_manifest

STEPS = {"class": 2500, "align": 1500}
VERSION = 2


def train_evaluators(data: Path, val: Path | None, out: Path, seed: int, steps: int | None) -> dict[str, float]:
    """Train ``mini_class`` and ``mini_align``; the same data, seed and machine give the same bytes.

    Args:
        data: Manifest of the train split. Other splits are refused: the evaluators must not know what they score.
        val: Manifest of the validation split, or None to measure nothing.
        out: Folder for ``mini_class.safetensors`` and ``mini_align.safetensors``.
        seed: Seed of every random choice.
        steps: Number of steps of each net instead of the default, or None.

    Returns:
        Accuracies on the validation split.

    Raises:
        FoleyError: ``data`` is not a train split, or has fewer than two classes.
    """
    manifest = read_manifest(data)
    if manifest.header.split != "train":
        raise FoleyError(f"{data} is the split {manifest.header.split!r}; the evaluators are trained on `train` only.")
    material = gather(data, seed=seed)
    if len(material.classes) < 2:
        raise FoleyError(f"{data} has {len(material.classes)} class; the evaluators need at least two.")
    # Each net from the seed alone, so that a change to one leaves the other's bytes as they are.
    with _one_thread(seed):
        class_net = fit_class.fit_mini_class(
            material, steps=steps or STEPS["class"], rng=np.random.default_rng([seed, 1])
        )
    with _one_thread(seed):
        align_net = fit_align.fit_mini_align(
            material, steps=steps or STEPS["align"], rng=np.random.default_rng([seed, 2])
        )
    measured: dict[str, float] = {}
    if val:
        heldout = gather(val, seed=seed + 1, like=material)
        with _one_thread(seed):
            measured |= fit_class.measure_mini_class(class_net, heldout)
            measured |= fit_align.measure_mini_align(align_net, heldout)
    facts: dict[str, Any] = {
        "version": VERSION,
        "classes": list(material.classes),
        "materials": list(material.materials),
        "seed": seed,
        "data": {
            "dataset": manifest.header.dataset,
            "version": manifest.header.version,
            "manifest_sha256": manifest.sha256,
            "n_clips": len(material),
        },
        "validation": {name: round(value, 4) for name, value in measured.items()},
    }
    write_atomically(out / "mini_class.safetensors", packed(class_net, {"kind": "mini_class", **facts}))
    write_atomically(out / "mini_align.safetensors", packed(align_net, {"kind": "mini_align", **facts}))
    return measured


@contextlib.contextmanager
def _one_thread(seed: int) -> Iterator[None]:
    """Run with one thread and a seeded torch, and restore both settings afterwards."""
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
