"""Train both evaluators from a manifest; write them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from foleybench.encoders._nets.mini_nets import packed
from foleybench.errors import FoleyError
from foleybench.evaluators.mini import fit_align, fit_class
from foleybench.evaluators.mini.material import TrainingMaterial, gather, joined_material
from foleybench.files import write_atomically
from foleybench.runtime.threads import one_thread
from foleybench.shards.manifest import Manifest, read_manifest

STEPS = {"class": 2500, "align": 1500}
VERSION = 2
# Splits that systems are scored on, or chosen by: the evaluators must not know them.
_SCORED = ("test", "val")


def train_evaluators(
    data: Path, val: Path | None, out: Path, seed: int, steps: int | None, also: Sequence[Path] = ()
) -> dict[str, float]:
    """Train ``mini_class`` and ``mini_align``; the same data, seed and machine give the same bytes.

    Args:
        data: Manifest of the train split. Other splits are refused: the evaluators must not know what they score.
        val: Manifest of the validation split, or None to measure nothing.
        out: Folder for ``mini_class.safetensors`` and ``mini_align.safetensors``.
        seed: Seed of every random choice.
        steps: Number of steps of each net instead of the default, or None.
        also: Manifests of further splits whose clips join the training; their classes and materials are among those of
            ``data``, their clips of the same length.

    Returns:
        Accuracies on the validation split.

    Raises:
        FoleyError: ``data`` is not a train split, or has fewer than two classes; a manifest of ``also`` is of a split
            that is scored, is given twice, or has other classes, materials or lengths.
    """
    material, sources = _gathered(_manifests(data, also), seed)
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
        **sources,
        "validation": {name: round(value, 4) for name, value in measured.items()},
    }
    write_atomically(out / "mini_class.safetensors", packed(class_net, {"kind": "mini_class", **facts}))
    write_atomically(out / "mini_align.safetensors", packed(align_net, {"kind": "mini_align", **facts}))
    return measured


def _manifests(data: Path, also: Sequence[Path]) -> dict[Path, Manifest]:
    """Return the manifests of the train split and of the further ones; refuse what must not be learned from."""
    manifest = read_manifest(data)
    if manifest.header.split != "train":
        raise FoleyError(f"{data} is the split {manifest.header.split!r}; the evaluators are trained on `train` only.")
    found, known = {data: manifest}, {manifest.sha256}
    for path in also:
        found[path] = read_manifest(path)
        if found[path].header.split in _SCORED:
            raise FoleyError(
                f"--also {path} is the split {found[path].header.split!r}, which is scored; the evaluators must not "
                "know it. Give splits that nothing is scored on."
            )
        if found[path].sha256 in known:
            raise FoleyError(
                f"--also {path}: this split is given twice, and its clips would count twice. Leave it out."
            )
        known.add(found[path].sha256)
    return found


def _gathered(manifests: Mapping[Path, Manifest], seed: int) -> tuple[TrainingMaterial, dict[str, Any]]:
    """Read the splits as one, the further ones after the first; return that, and what the files say of the splits."""
    data, *also = manifests
    parts = {data: gather(data, seed=seed)}
    if len(parts[data].classes) < 2:
        raise FoleyError(f"{data} has {len(parts[data].classes)} class; the evaluators need at least two.")
    # The seed after the first one's is the validation split's.
    parts |= {path: gather(path, seed=seed + 2 + n, like=parts[data]) for n, path in enumerate(also)}
    stated = {path: _source(manifest, parts[path]) for path, manifest in manifests.items()}
    sources: dict[str, Any] = {"data": stated[data]}
    if also:
        sources["also"] = [{**stated[path], "split": manifests[path].header.split} for path in also]
    return (joined_material(parts) if also else parts[data]), sources


def _source(manifest: Manifest, part: TrainingMaterial) -> dict[str, Any]:
    """Return what a file of weights says of a split that it was trained on."""
    return {
        "dataset": manifest.header.dataset,
        "version": manifest.header.version,
        "manifest_sha256": manifest.sha256,
        "n_clips": len(part),
    }


@contextlib.contextmanager
def _one_thread(seed: int) -> Iterator[None]:
    """Run with one thread and a seeded torch, and restore both settings afterwards."""
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
