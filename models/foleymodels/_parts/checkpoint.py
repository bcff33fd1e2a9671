"""Checkpoints: weights and settings in one folder.

``model.safetensors`` and ``config.json``, loaded strictly, never a pickle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor, nn

from foleybench.errors import FoleyError
from foleybench.files import canonical_json, write_atomically

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
FORMAT = 1


def write_checkpoint(folder: Path, kind: str, tensors: dict[str, Tensor], config: dict[str, Any]) -> Path:
    """Write a checkpoint: the weights first, so that a folder with a config is whole.

    Args:
        folder: Where; made when absent.
        kind: What the checkpoint is of; ``read_checkpoint`` checks it.
        tensors: Weights by name.
        config: JSON values that rebuild the module.

    Returns:
        The folder.
    """
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_atomically(folder / WEIGHTS, safetensors.torch.save(plain))
    record = {"format": FORMAT, "kind": kind, **config}
    write_atomically(folder / CONFIG, (canonical_json(record) + "\n").encode())
    return folder


def read_checkpoint(folder: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a checkpoint.

    Returns:
        Weights by name, and the config.

    Raises:
        FoleyError: No checkpoint there, another kind or format, or a broken file.
    """
    config = _read_config(folder)
    if config.get("kind") != kind or config.get("format") != FORMAT:
        raise FoleyError(
            f"{folder} holds a checkpoint of {config.get('kind')!r} (format {config.get('format')}), "
            f"wanted {kind!r} (format {FORMAT}). Name the right folder with --checkpoint."
        )
    return read_tensors(folder / WEIGHTS), config


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file.

    Raises:
        FoleyError: It is missing or broken.
    """
    try:
        return safetensors.torch.load(path.read_bytes())
    except (OSError, safetensors.SafetensorError) as error:
        raise FoleyError(
            f"cannot read weights from {path}: {error}. Train again or name another checkpoint."
        ) from error


def load_into(module: nn.Module, tensors: dict[str, Tensor], folder: Path) -> None:
    """Load weights strictly.

    Raises:
        FoleyError: Names or shapes differ; the first differences are named.
    """
    own = module.state_dict()
    missing = sorted(own.keys() - tensors.keys())
    surplus = sorted(tensors.keys() - own.keys())
    misshapen = sorted(name for name in own.keys() & tensors.keys() if own[name].shape != tensors[name].shape)
    if missing or surplus or misshapen:
        raise FoleyError(
            f"the weights in {folder} do not fit the model: missing {missing[:3]}, not wanted {surplus[:3]}, "
            f"of another shape {misshapen[:3]}. The checkpoint was written by another version: train again."
        )
    module.load_state_dict(tensors, strict=True)


def joined_weights(modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Return the weights of several modules, each below its name."""
    return {f"{part}.{name}": value for part, module in modules.items() for name, value in module.state_dict().items()}


def below(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    """Return the weights of one of several modules, by its name."""
    prefix = f"{part}."
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    if not path.is_file():
        raise FoleyError(
            f"no checkpoint in {folder} ({CONFIG} is missing). Train first, or name one with --checkpoint."
        )
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FoleyError(f"{path} is not JSON: {error}. Train again or name another checkpoint.") from error
    return config
