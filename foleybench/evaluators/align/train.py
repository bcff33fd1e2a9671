"""Train an alignment classifier from a manifest; write its weights file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from foleybench import registry
from foleybench.encoders._nets.mini_nets import packed
from foleybench.errors import FoleyError
from foleybench.evaluators.align.fit import MIX, AlignRecipe, fit_align_trained
from foleybench.evaluators.align.measure import measure_align_trained
from foleybench.evaluators.align.pool import Pools
from foleybench.files import write_atomically
from foleybench.shards.manifest import read_manifest

VERSION = 1
RECIPES = {
    # A few minutes on one core.
    "tiny": AlignRecipe(),
    # For a GPU and tens of thousands of clips.
    "base": AlignRecipe(
        steps=40000, batch=64, window_s=4.0, rate=1e-3, n_follow=96, n_heads=8, n_kind=64, scale=4, pool=8000
    ),
}
CHECKPOINT = "checkpoint.pt"


def align_recipe(size: str, *, seed: int, steps: int | None, settings: Mapping[str, str]) -> AlignRecipe:
    """Return the recipe of a size, with a user's changes.

    Raises:
        FoleyError: There is no such size or setting, or a value is not a positive number.
    """
    if size not in RECIPES:
        raise FoleyError(f"align-classifier has the sizes {', '.join(RECIPES)}, not {size!r}.")
    kinds = {field.name: type(getattr(RECIPES[size], field.name)) for field in dataclasses.fields(AlignRecipe)}
    changed: dict[str, Any] = {"seed": seed, **({"steps": steps} if steps else {})}
    for name, text in settings.items():
        if name not in kinds or name == "seed":
            known = ", ".join(sorted(set(kinds) - {"seed"}))
            raise FoleyError(f"--set {name}={text}: align-classifier has no such setting; it has {known}.")
        try:
            changed[name] = kinds[name](text)
        except ValueError as error:
            raise FoleyError(f"--set {name}={text}: wants a number.") from error
        if not changed[name] > 0:
            raise FoleyError(f"--set {name}={text}: wants a positive number.")
    recipe = dataclasses.replace(RECIPES[size], **changed)
    if recipe.n_follow % recipe.n_heads:
        raise FoleyError(f"n_follow={recipe.n_follow} cannot be split into n_heads={recipe.n_heads} equal groups.")
    return recipe


def train_align_classifier(
    data: Path, val: Path | None, out: Path, recipe: AlignRecipe, *, device: str = "cpu", force: bool = False
) -> dict[str, float]:
    """Train an alignment classifier; run again after a kill, it goes on and ends with the same bytes.

    Args:
        data: Manifest of the split to train on, which must share no clip with what you score; only its name is checked.
        val: Manifest of the split to measure on, or None to measure nothing.
        out: Run folder: ``align_classifier.safetensors`` and the checkpoint.
        recipe: Settings of the training.
        device: Torch device name.
        force: Start again even if there is a checkpoint.

    Returns:
        Accuracies on ``val``.

    Raises:
        FoleyError: ``data`` is a test split, has too few clips, or the checkpoint belongs to another run.
    """
    manifest = read_manifest(data)
    if manifest.header.split == "test":
        raise FoleyError(f"{data} is a test split; an evaluator must not be trained on clips that it will score.")
    judge = registry.module("encoders", "align_trained")
    facts: dict[str, Any] = {
        "version": VERSION,
        "kind": judge.KIND,
        "net": recipe.net,
        "recipe": dataclasses.asdict(recipe),
        "mix": {**MIX, "origin": "as recalled from Luo et al., Diff-Foley, 2023; not confirmed"},
        "data": {
            "dataset": manifest.header.dataset,
            "split": manifest.header.split,
            "manifest_sha256": manifest.sha256,
        },
    }
    mark = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    checkpoint = out / CHECKPOINT
    if force:
        checkpoint.unlink(missing_ok=True)
    with torch.random.fork_rng():
        pools = Pools(data, size=recipe.pool, seed=recipe.seed)
        net = fit_align_trained(recipe, pools, checkpoint, mark, device)
    facts["data"] = {**facts["data"], "n_clips": pools.n_clips}
    measured = measure_align_trained(net, Pools(val, size=recipe.pool, seed=recipe.seed), device) if val else {}
    facts["validation"] = {
        "manifest_sha256": read_manifest(val).sha256 if val else None,
        **{name: round(value, 4) for name, value in measured.items()},
    }
    write_atomically(out / judge.WEIGHTS.filename, packed(net.to("cpu"), facts))
    return measured
